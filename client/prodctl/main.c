/* SPDX-License-Identifier: Apache-2.0 */
/* prodctl: reads what was typed, runs the verb, and reports an error once, here. */
#include "config.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/prodctl/complete.h"
#include "client/prodctl/help.h"
#include "client/prodctl/interrupt.h"
#include "client/prodctl/json.h"
#include "client/prodctl/prodctl.h"

static int run(struct prodctl *p, int count, char *words[], struct prodd_error *e)
{
	int r = arguments_parse(&p->args, count, words, e);

	if (r < 0) {
		help_usage_hint(&p->args, p->hint, sizeof p->hint);
		return r;
	}
	if (arguments_has(&p->args, OPTION_HELP))
		return help_print(&p->out, p->args.noun, p->args.verb);
	if (arguments_has(&p->args, OPTION_VERSION))
		return help_version(&p->out, arguments_has(&p->args, OPTION_JSON));
	return p->args.verb->run(p, e);
}

static void report_error(struct prodctl *p, const struct prodd_error *e)
{
	if (arguments_has(&p->args, OPTION_JSON)) {
		prodd_buffer_reset(&p->out.bytes);
		json_error(&p->out.bytes, e);
	}
	text_printf(&p->err, PLAIN, "prodctl: %s", e->text);
	text_end_line(&p->err);
	if (*p->hint) {
		text_printf(&p->err, PLAIN, "  %s", p->hint);
		text_end_line(&p->err);
	}
}

/* A descriptor 0, 1 or 2 that is closed must not become the socket. */
static void fill_standard_descriptors(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		close(fd);
}

int main(int argc, char *argv[])
{
	static struct prodctl p = { .connection.fd = -1 };
	struct prodd_error e = { 0 };
	bool silenced;
	int status;

	fill_standard_descriptors();
	p.out = text_for(STDOUT_FILENO);
	p.err = text_for(STDERR_FILENO);
	if (argc > 1 && strcmp(argv[1], "--complete") == 0)
		return complete(argc - 2, argv + 2);
	status = run(&p, argc - 1, argv + 1, &e);
	if (status < 0) {
		silenced = interrupt_signal() && !strchr(e.text, ';');
		status = prodd_error_exit(e.code);
		if (!silenced)
			report_error(&p, &e);
	}
	if (prodctl_flush(&p, &e) < 0) {
		text_printf(&p.err, PLAIN, "prodctl: %s", e.text);
		text_end_line(&p.err);
		status = prodd_error_exit(e.code);
	}
	text_flush(&p.err, STDERR_FILENO, NULL);
	connection_close(&p.connection);
	text_clear(&p.out);
	text_clear(&p.err);
	if (interrupt_signal())
		interrupt_end();
	return status;
}
