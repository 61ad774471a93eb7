/* SPDX-License-Identifier: Apache-2.0 */
#include "client/prodctl/prodctl.h"

#include <stdio.h>
#include <unistd.h>

#include "client/prodctl/interrupt.h"
#include "client/prodctl/json.h"

static int open_session(struct prodctl *p, struct prodd_error *e)
{
	int r;

	if (p->connection.fd >= 0)
		return 0;
	interrupt_begin();
	r = connection_open(&p->connection, p->args.values[OPTION_SOCKET], CONNECTION_OPEN_MS, e);
	if (r == -PRODD_E_UNREACHABLE)
		snprintf(p->hint, sizeof p->hint,
			 "systemctl status prodd      or, for a private daemon: prodctl --socket PATH");
	return r;
}

/* Refused on app.sock, because ctl.sock refused before: the latter is what the reader has to know. */
static int explain_refusal(struct prodctl *p, struct prodd_error *e)
{
	const struct place *place = &p->connection.place;

	if (!*place->denied)
		return -e->code;
	snprintf(p->hint, sizeof p->hint, "%.*s", (int)sizeof p->hint - 1, e->text);
	return place_refused(place->denied, e);
}

static int call(struct prodctl *p, enum wire_method method, const void *params, void *ret, int64_t timeout_ms,
		struct prodd_error *e)
{
	int r = open_session(p, e);

	if (r == 0)
		r = connection_call(&p->connection, method, params, ret, timeout_ms, e);
	return r == -PRODD_E_NOT_PERMITTED ? explain_refusal(p, e) : r;
}

int prodctl_ask(struct prodctl *p, enum wire_method method, const void *params, void *ret,
		struct prodd_error *e)
{
	return call(p, method, params, ret, CONNECTION_ANSWER_MS, e);
}

int prodctl_wait(struct prodctl *p, enum wire_method method, const void *params, void *ret, int64_t timeout_ms,
		 struct prodd_error *e)
{
	return call(p, method, params, ret, timeout_ms, e);
}

int prodctl_note(struct prodctl *p, enum wire_method method, void *ret, struct prodd_error *e)
{
	const struct connection *c = &p->connection;
	int r = prodctl_flush(p, e);

	if (r == 0)
		r = connection_note(&p->connection, method, ret, e);
	if (r == -PRODD_E_CLOSED)
		return prodd_error_set(e, PRODD_E_UNREACHABLE, "prodd at %s has gone%s%s", c->place.path,
				       *c->farewell ? ": " : "", c->farewell);
	return r;
}

int prodctl_change(struct prodctl *p, enum wire_method method, const void *params, void *ret, int64_t more_ms,
		   struct prodd_error *e)
{
	int r = call(p, method, params, ret, PRODCTL_CHANGE_MS + more_ms, e);
	const char *space = *p->args.app ? " " : "";

	if (r < 0 && interrupt_signal())
		return prodd_error_set(e, -r, "interrupted; the transaction goes on: prodctl status%s%s",
				       space, p->args.app);
	if (r == -PRODD_E_TIMEOUT || r == -PRODD_E_CLOSED)
		snprintf(p->hint, sizeof p->hint, "what came of it is not known here: prodctl status%s%s",
			 space, p->args.app);
	return r;
}

bool prodctl_json(struct prodctl *p, const struct wire_record *type, const void *record)
{
	if (!arguments_has(&p->args, OPTION_JSON))
		return false;
	json_record(&p->out.bytes, type, record);
	return true;
}

int prodctl_flush(struct prodctl *p, struct prodd_error *e)
{
	return text_flush(&p->out, STDOUT_FILENO, e);
}
