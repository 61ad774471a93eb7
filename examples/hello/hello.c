/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A program that is served its configuration by prodd.  It prints a line for
 * each generation that it uses, and for each that it rejects, counts them, and
 * logs a record too; SIGTERM ends it.
 *
 *	hello                  with the library's thread
 *	hello --own-loop       with a loop of its own, as an old server would
 */
#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <prodd/client.h>

#ifndef BUILD	/* prodd's own makefile says commit, day and features */
#define BUILD ""
#endif

enum { exit_no_config = 78 };	/* EX_CONFIG (sysexits.h) */

struct hello {
	struct prodd *p;
	const char *app;
	const char *instance;
	const char *socket;
	int wait_ms;
	struct prodd_counter *uses, *rejects;
	long reject_over;	/* connections that the database allows */
	int own_loop;
};

static void print_name(const struct hello *h, struct prodd *p)
{
	char name[129];

	prodd_instance_name(p, name, sizeof name);
	printf("%s/%s: ", h->app, name);
}

/* Judges a configuration before anybody uses it. */
static int validate(const struct prodd_config *c, struct prodd_error *why, void *arg)
{
	const struct hello *h = arg;
	long long wanted = prodd_config_int(c, "database.max_connections");

	if (wanted <= h->reject_over)
		return 0;
	prodd_inc(h->rejects);
	print_name(h, h->p);
	printf("rejects generation %llu: database.max_connections=%lld\n",
	       (unsigned long long)prodd_config_generation(c), wanted);
	prodd_warn(h->p, "configuration rejected", prodd_uint("generation", prodd_config_generation(c)),
		   prodd_int("max_connections", wanted));
	return prodd_reject(why, "database.max_connections: the database allows %ld", h->reject_over);
}

/* Told after the switch. */
static int changed(struct prodd *p, const struct prodd_config *now, const struct prodd_changes *changes,
		   struct prodd_error *why, void *arg)
{
	const struct hello *h = arg;

	(void)changes;
	(void)why;
	prodd_inc(h->uses);
	print_name(h, p);
	printf("generation %llu: greeting=\"%s\" server.port=%lld database.max_connections=%lld "
	       "upstream.timeout=%s\n", (unsigned long long)prodd_config_generation(now),
	       prodd_config_string(now, "greeting"), (long long)prodd_config_int(now, "server.port"),
	       (long long)prodd_config_int(now, "database.max_connections"),
	       prodd_config_string(now, "upstream.timeout"));
	prodd_info(p, "configuration changed", prodd_uint("generation", prodd_config_generation(now)),
		   prodd_str("greeting", prodd_config_string(now, "greeting")));
	return 0;
}

/* A signal that is blocked and read from a descriptor can be polled beside the library's. */
static int serve(const struct hello *h, const sigset_t *ends)
{
	struct prodd_error e;
	struct pollfd fds[2] = {
		{ .fd = signalfd(-1, ends, SFD_CLOEXEC), .events = POLLIN },
		{ .fd = prodd_fd(h->p), .events = POLLIN },	/* -1 with the library's thread: poll skips it */
	};

	while (!(fds[0].revents & POLLIN)) {
		if (poll(fds, 2, -1) < 0 && errno != EINTR)
			return perror("poll"), 1;
		if (fds[1].revents && prodd_dispatch(h->p, &e) < 0)
			fprintf(stderr, "%s: %s\n", h->app, e.text);
	}
	close(fds[0].fd);
	return 0;
}

static int usage(FILE *to)
{
	fputs("usage: hello [--app NAME] [--instance NAME] [--socket PATH] [--reject-over N]\n"
	      "             [--wait MS] [--own-loop]\n", to);
	return to == stdout ? 0 : 2;
}

/* Returns -1 to go on, else the exit status. */
static int read_options(struct hello *h, int argc, char **argv)
{
	static const struct option options[] = {
		{ "app", required_argument, NULL, 'a' },	 { "instance", required_argument, NULL, 'i' },
		{ "socket", required_argument, NULL, 's' },	 { "reject-over", required_argument, NULL, 'r' },
		{ "wait", required_argument, NULL, 'w' },	 { "own-loop", no_argument, NULL, 'l' },
		{ "help", no_argument, NULL, 'h' },		 { "version", no_argument, NULL, 'V' }, { 0 },
	};
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) >= 0)
		switch (c) {
		case 'a': h->app = optarg; break;
		case 'i': h->instance = optarg; break;
		case 's': h->socket = optarg; break;
		case 'r': h->reject_over = atol(optarg); break;
		case 'w': h->wait_ms = atoi(optarg); break;
		case 'l': h->own_loop = 1; break;
		case 'h': return usage(stdout);
		case 'V': return printf("hello %s\n" BUILD, prodd_client_version()), 0;
		default: return usage(stderr);
		}
	return optind < argc ? usage(stderr) : -1;
}

static int prepare(struct hello *h)
{
	if (h->instance && prodd_set_instance(h->p, h->instance) < 0)
		return fprintf(stderr, "%s: not a name: %s\n", h->app, h->instance), 2;
	if (h->socket && prodd_set_socket(h->p, h->socket) < 0)
		return fprintf(stderr, "%s: not the path of a socket: %s\n", h->app, h->socket), 2;
	if (h->own_loop)
		prodd_set_own_loop(h->p);
	h->uses = prodd_counter(h->p, "hello_uses_total", "Generations used.");
	h->rejects = prodd_counter(h->p, "hello_rejects_total", "Generations rejected.");
	prodd_on_validate(h->p, validate, h);
	prodd_on_change(h->p, changed, h);
	return 0;
}

int main(int argc, char **argv)
{
	struct hello h = { .app = "hello", .wait_ms = 5000, .reject_over = 1000000 };
	struct prodd_error e;
	sigset_t ends;
	int status = read_options(&h, argc, argv);

	if (status >= 0)
		return status;
	setvbuf(stdout, NULL, _IOLBF, 0);
	sigemptyset(&ends);
	sigaddset(&ends, SIGTERM);
	sigaddset(&ends, SIGINT);
	sigprocmask(SIG_BLOCK, &ends, NULL);

	prodd_auto struct prodd *p = h.p = prodd_new(h.app);

	status = prepare(&h);
	if (status)
		return status;
	if (prodd_start(p, &e) < 0 || prodd_wait_config(p, h.wait_ms, &e) < 0)
		return fprintf(stderr, "%s: %s\n", h.app, e.text), exit_no_config;
	return serve(&h, &ends);
}
