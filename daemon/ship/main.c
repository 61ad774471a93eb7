/* SPDX-License-Identifier: Apache-2.0 */
/*
 * prodd-ship: one sink.  Started by prodd with a socket as descriptor 3 and
 * the directory of the spools as descriptor 4; reads records, formats them, and
 * says how far it is.
 */
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "daemon/ship/confine.h"
#include "daemon/ship/shipper.h"
#include "daemon/util/log.h"
#include "daemon/util/version.h"

enum { socket_fd = 3, spool_fd = 4, first_other_fd = 5 };
enum choice { OPTION_HELP = 256, OPTION_VERSION };

static const struct option options[] = {
	{ "help", no_argument, NULL, OPTION_HELP },
	{ "version", no_argument, NULL, OPTION_VERSION },
	{ NULL, 0, NULL, 0 },
};

static const char help[] =
	"Usage: prodd-ship --help | --version\n"
	"\n"
	"Ships log records from prodd's spool into one sink. prodd starts this program\n"
	"itself, with a socket as descriptor 3, the directory of the spools as\n"
	"descriptor 4, and no arguments.\n"
	"\n"
	"Exit status: 0 told to end, or prodd has gone; 1 failed; 2 usage.\n";

static int usage(const char *text)
{
	fprintf(stderr, "prodd-ship: %s\nTry: prodd-ship --help\n", text);
	return 2;
}

static int serve(void)
{
	struct stat socket_is, spool_is;
	struct prodd_error e;

	if (fstat(socket_fd, &socket_is) < 0 || !S_ISSOCK(socket_is.st_mode))
		return usage("descriptor 3 is no socket: prodd starts this program so");
	if (fstat(spool_fd, &spool_is) < 0 || !S_ISDIR(spool_is.st_mode))
		return usage("descriptor 4 is no directory: prodd starts this program so");
	log_open("prodd-ship", LOG_LEVEL_INFO);
	if (confine_ship(first_other_fd, &e) < 0 || shipper_run(socket_fd, spool_fd, &e) < 0) {
		log_error("%s", e.text);
		return 1;
	}
	return 0;
}

int main(int argc, char **argv)
{
	switch (argc > 1 ? getopt_long(argc, argv, "", options, NULL) : -1) {
	case OPTION_HELP:
		return fputs(help, stdout) < 0 || fflush(stdout) != 0;
	case OPTION_VERSION:
		version_print("prodd-ship");
		return fflush(stdout) != 0;
	case -1:
		return argc > 1 ? usage("no arguments are expected") : serve();
	default:
		return usage("unknown option");
	}
}
