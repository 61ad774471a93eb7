/* SPDX-License-Identifier: Apache-2.0 */
/* The first message of a session, as `struct service_ops` wants it. */
#ifndef PRODD_CONFIG_GREETING_H
#define PRODD_CONFIG_GREETING_H

#include "daemon/core/session.h"

int greeting_of_app(struct service *service, struct session *session, const struct wire_hello *hello,
		    struct wire_welcome *ret, struct prodd_error *e);
int greeting_of_command(struct service *service, struct session *session, const struct wire_hello *hello,
			struct wire_welcome *ret, struct prodd_error *e);
bool greeting_may_use(struct service *service, const struct identity *who, struct prodd_slice app);

#endif
