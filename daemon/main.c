/* SPDX-License-Identifier: Apache-2.0 */
/* The command line of prodd. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/daemon.h"
#include "daemon/util/log.h"
#include "daemon/util/version.h"

#define EXIT_USAGE 2

static const char help[] =
	"Usage: prodd [--dir DIR] [--log-level LEVEL]\n"
	"       prodd --check [--dir DIR]\n"
	"Serves configuration to the programs of this host over a Unix socket, and keeps\n"
	"and ships what they log and count.\n"
	"\n"
	"  --dir DIR          keep everything below DIR: prodd.conf, apps/, run/, state/\n"
	"  --check            check prodd.conf and the files of every app, and end: 0, or 4 when one is invalid\n"
	"  --log-level LEVEL  error, warn, notice (default), info or debug\n"
	"  --help, --version\n"
	"\n"
	"See prodd(8), prodd.conf(5), prodctl(1).\n";

struct options {
	const char *directory;
	enum log_level level;
	int check;
};

static int parse_level(const char *name, enum log_level *ret)
{
	static const struct { const char *name; enum log_level level; } levels[] = {
		{ "error", LOG_LEVEL_ERROR }, { "warn", LOG_LEVEL_WARN }, { "notice", LOG_LEVEL_NOTICE },
		{ "info", LOG_LEVEL_INFO }, { "debug", LOG_LEVEL_DEBUG },
	};

	for (size_t i = 0; i < sizeof levels / sizeof *levels; i++)
		if (strcmp(name, levels[i].name) == 0) {
			*ret = levels[i].level;
			return 0;
		}
	fprintf(stderr, "prodd: --log-level: \"%s\" is none of error, warn, notice, info, debug\n", name);
	return -1;
}

/* 0: go on; 1: done; -1: wrong usage. */
static int parse_options(int argc, char **argv, struct options *ret)
{
	static const struct option longs[] = {
		{ "dir", required_argument, NULL, 'd' },
		{ "check", no_argument, NULL, 'c' },
		{ "log-level", required_argument, NULL, 'l' },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'v' },
		{ NULL, 0, NULL, 0 },
	};
	int option;

	while ((option = getopt_long(argc, argv, "", longs, NULL)) != -1)
		switch (option) {
		case 'd':
			ret->directory = optarg;
			break;
		case 'c':
			ret->check = 1;
			break;
		case 'l':
			if (parse_level(optarg, &ret->level) < 0)
				return -1;
			break;
		case 'h':
			fputs(help, stdout);
			return 1;
		case 'v':
			version_print("prodd");
			return 1;
		default:
			return -1;
		}
	if (optind < argc) {
		fprintf(stderr, "prodd: unexpected argument \"%s\"\n", argv[optind]);
		return -1;
	}
	return 0;
}

static int serve(const char *directory, struct prodd_error *e)
{
	struct daemon *daemon = NULL;
	int r = daemon_new(&daemon, directory, e);

	if (r >= 0)
		r = daemon_run(daemon, e);
	daemon_free(daemon);
	return r;
}

int main(int argc, char **argv)
{
	struct options options = { .level = LOG_LEVEL_NOTICE };
	struct prodd_error e;
	int r = parse_options(argc, argv, &options);

	if (r != 0)
		return r < 0 ? EXIT_USAGE : EXIT_SUCCESS;
	log_open("prodd", options.level);
	r = options.check ? daemon_check(options.directory, &e) : serve(options.directory, &e);
	if (r == 0)
		return EXIT_SUCCESS;
	log_error("%s", e.text);
	return prodd_error_exit(e.code);
}
