/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The first message: both sides agree on a version of the protocol, and the
 * service says who the sender may be.  Whoever is refused is told why, and
 * the session ends.
 */
#include "daemon/core/session_parts.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/core/counters.h"
#include "daemon/util/version.h"
#include "proto/limits.h"

/* The highest version that both speak. */
static int choose_version(const struct wire_hello *hello, uint64_t *ret, struct prodd_error *e)
{
	uint64_t lowest = hello->protocol_min ? hello->protocol_min : hello->protocol;

	if (lowest > hello->protocol)
		return prodd_error_set(e, PRODD_E_USAGE, "hello: protocol_min %" PRIu64 " is over protocol %" PRIu64,
				       lowest, hello->protocol);
	*ret = hello->protocol < PRODD_PROTOCOL_VERSION ? hello->protocol : PRODD_PROTOCOL_VERSION;
	if (*ret >= lowest && *ret >= PRODD_PROTOCOL_OLDEST)
		return 0;
	return prodd_error_set(e, PRODD_E_UNSUPPORTED,
			       "no common version of the protocol: you speak %" PRIu64 " to %" PRIu64
			       ", prodd %s speaks %d to %d", lowest, hello->protocol, version_text,
			       PRODD_PROTOCOL_OLDEST, PRODD_PROTOCOL_VERSION);
}

static char *copy_of(struct prodd_slice text)
{
	return strndup(text.at ? text.at : "", text.size);
}

static int keep_names(struct session *session, const struct wire_welcome *granted, struct prodd_error *e)
{
	session->app = copy_of(granted->app);
	session->instance = copy_of(granted->instance);
	return session->app && session->instance ? 0 : prodd_error_set(e, PRODD_E_NO_MEMORY, "hello");
}

static int greet(struct session *session, const struct wire_hello *hello, struct wire_welcome *ret,
		 struct prodd_error *e)
{
	struct service *service = session->host->service;
	int r = choose_version(hello, &ret->protocol, e);

	if (r < 0)
		return r;
	session->client = strndup(hello->client.at, hello->client.size);
	if (!session->client)
		return prodd_error_set(e, PRODD_E_NO_MEMORY, "hello");
	ret->daemon = prodd_slice(version_text);
	ret->pid = (uint64_t)getpid();
	if (hello->app.size == 0)
		return service->ops->hello_command(service, session, hello, ret, e);
	r = service->ops->hello(service, session, hello, ret, e);
	return r < 0 ? r : keep_names(session, ret, e);
}

void hello_take(struct session *session, const struct prodd_message *message)
{
	struct wire_welcome welcome = { 0 };
	struct wire_hello hello;
	struct prodd_error e;
	int r = prodd_message_decode(message, &wire_record_hello, &hello, &e);

	counters.calls_received++;
	if (r == 0)
		r = greet(session, &hello, &welcome, &e);
	if (r < 0) {
		session_violation(session, message->id, &e, &counters.hellos_refused);
		return;
	}
	session->greeted = true;
	session->has_app = hello.app.size > 0;
	session_answer(session, message->id, &wire_record_welcome, &welcome);
}
