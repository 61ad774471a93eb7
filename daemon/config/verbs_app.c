/* SPDX-License-Identifier: Apache-2.0 */
/* What an app says about itself: the schema of its code, and that it wants its configuration. */
#include "daemon/config/verbs.h"

#include "daemon/config/declared.h"
#include "daemon/util/container.h"

static struct instance *instance_of(const struct call *call)
{
	struct session *session = call_session(call);
	struct peer *peer = session ? session_peer(session, &instance_kind) : NULL;

	return peer ? container_of(peer, struct instance, peer) : NULL;
}

static struct instance *instance_or_fail(struct call *call)
{
	static const struct prodd_error none = { PRODD_E_NOT_PERMITTED,
						 "this session named no app in its hello" };
	struct instance *instance = instance_of(call);

	if (!instance)
		call_fail(call, &none);
	return instance;
}

void verb_declare(struct config *config, struct call *call, const void *params)
{
	static const struct prodd_error late = { PRODD_E_USAGE,
						 "config.declare comes before config.subscribe" };
	static const struct wire_empty nothing;
	struct instance *instance = instance_or_fail(call);
	struct prodd_error e;

	(void)config;
	if (!instance)
		return;
	if (instance->subscribed || instance->waiting)
		call_fail(call, &late);
	else if (declared_collect(instance, params, &e) < 0)
		call_fail(call, &e);
	else
		call_answer(call, &nothing);
}

void verb_subscribe(struct config *config, struct call *call, const void *params)
{
	static const struct prodd_error again = { PRODD_E_USAGE,
						  "config.subscribe: this session has subscribed already" };
	struct instance *instance = instance_or_fail(call);

	if (!instance)
		return;
	if (instance->waiting || instance->subscribed) {
		call_fail(call, &again);
		return;
	}
	instance_subscribe(instance, call, params);
	config_instance_subscribed(config, instance);
}
