/* SPDX-License-Identifier: Apache-2.0 */
/* Handlers of the methods about configuration. Each takes its call. */
#ifndef PRODD_CONFIG_VERBS_H
#define PRODD_CONFIG_VERBS_H

#include "daemon/config/config.h"

/* What apps say: verbs_app.c */
void verb_declare(struct config *config, struct call *call, const void *params);
void verb_subscribe(struct config *config, struct call *call, const void *params);

/* What changes something: verbs_change.c */
void verb_reload(struct config *config, struct call *call, const void *params);
void verb_confirm(struct config *config, struct call *call, const void *params);
void verb_set(struct config *config, struct call *call, const void *params);
void verb_unset(struct config *config, struct call *call, const void *params);
void verb_rollback(struct config *config, struct call *call, const void *params);

/* What shows something: verbs_show.c */
void verb_show(struct config *config, struct call *call, const void *params);
void verb_explain(struct config *config, struct call *call, const void *params);
void verb_schema(struct config *config, struct call *call, const void *params);

/* What reads files or stored generations for it: inspect.c */
void verb_check(struct config *config, struct call *call, const void *params);
void verb_diff(struct config *config, struct call *call, const void *params);
void verb_history(struct config *config, struct call *call, const void *params);

/* status.c */
void verb_status(struct config *config, struct call *call, const void *params);

/* ---- shared by the files above */

/* The app that a command names; NULL: the call has been failed. */
struct app *verb_app(struct config *config, struct call *call, struct prodd_slice name);

/* The scope that it means; NULL: the call has been failed. `live`: it must have a live generation. */
struct scope *verb_scope(struct config *config, struct call *call, struct prodd_slice app,
			 struct prodd_slice environment, bool live);

/* Answers config.show of a generation at hand. Takes call. */
void verb_show_generation(struct call *call, const struct scope *scope, const struct generation *generation,
			  struct prodd_slice group);

/* Who asks, for causes and the history: the name of the session's uid. */
const char *verb_who(const struct call *call);

#endif
