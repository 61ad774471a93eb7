/* SPDX-License-Identifier: Apache-2.0 */
/* Reads and checks a scope's files beside everything else: nobody is asked, nothing changes. Takes call. */
#ifndef PRODD_CONFIG_INSPECT_H
#define PRODD_CONFIG_INSPECT_H

#include "daemon/config/config.h"

/* Answers with a report: invalid, no_files, unchanged or would_commit, and what differs from live. */
void inspect_files(struct config *config, struct call *call, struct scope *scope);

/* The daemon ends: what is under way is given up. Disk jobs must have ended. */
void inspect_end(struct config *config);

/* Answers with what differs between two stored generations; 0 for `to`: the live one. */
void inspect_generations(struct config *config, struct call *call, struct scope *scope, uint64_t from,
			 uint64_t to);

/* Answers config.show of a stored generation. */
void inspect_show(struct config *config, struct call *call, struct scope *scope, uint64_t number,
		  struct prodd_slice group);

/* Answers config.history. */
void inspect_history(struct config *config, struct call *call, struct scope *scope);

#endif
