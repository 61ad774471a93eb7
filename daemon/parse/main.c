/* SPDX-License-Identifier: Apache-2.0 */
/*
 * prodd-parse: files in, a checked tree or errors out.  Started by prodd with a
 * socket as descriptor 3; or by hand, to check files without a daemon.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "daemon/parse/command.h"
#include "daemon/parse/confine.h"
#include "daemon/parse/prodd_conf.h"
#include "daemon/parse/serve.h"
#include "daemon/util/version.h"

enum choice { OPTION_HELP = 256, OPTION_VERSION, OPTION_CHECK, OPTION_CHECK_CONF, OPTION_ENV, OPTION_APP,
	      OPTION_JSON, OPTION_PRINT_CONF, OPTION_PRINT_SCD };

static const struct option options[] = {
	{ "help", no_argument, NULL, OPTION_HELP },
	{ "version", no_argument, NULL, OPTION_VERSION },
	{ "check", required_argument, NULL, OPTION_CHECK },
	{ "check-prodd-conf", required_argument, NULL, OPTION_CHECK_CONF },
	{ "env", required_argument, NULL, OPTION_ENV },
	{ "app", required_argument, NULL, OPTION_APP },
	{ "json", no_argument, NULL, OPTION_JSON },
	{ "print-prodd-conf", no_argument, NULL, OPTION_PRINT_CONF },
	{ "print-settings-scd", no_argument, NULL, OPTION_PRINT_SCD },
	{ NULL, 0, NULL, 0 },
};

static const char help[] =
	"Usage: prodd-parse --check DIR [--env ENVIRONMENT] [--app NAME] [--json]\n"
	"       prodd-parse --check-prodd-conf FILE [--json] [CONF.D]\n"
	"       prodd-parse --print-prodd-conf | --print-settings-scd | --help | --version\n"
	"\n"
	"Checks configuration files without a daemon. prodd starts this program itself\n"
	"for each reload, with a socket as descriptor 3 and no arguments.\n"
	"\n"
	"  --check DIR               an app's directory: schema.conf, default.conf,\n"
	"                            ENVIRONMENT.conf and conf.d/*.conf\n"
	"  --env ENVIRONMENT         which environment to check; else $RUN_ENV, else development\n"
	"  --app NAME                name in what is printed; else the directory's\n"
	"  --check-prodd-conf FILE   the daemon's own configuration, with the files in CONF.D\n"
	"  --json                    print the result as JSON\n"
	"  --print-prodd-conf        the shipped prodd.conf: every default as a comment\n"
	"  --print-settings-scd      the settings of prodd.conf for its manual page\n"
	"\n"
	"Exit status: 0 valid, 4 invalid, 1 files cannot be read, 2 usage.\n";

static int usage(const char *text)
{
	fprintf(stderr, "prodd-parse: %s\nTry: prodd-parse --help\n", text);
	return 2;
}

static int failed(const struct prodd_error *e)
{
	fprintf(stderr, "prodd-parse: %s\n", e->text);
	return 1;
}

static int serve(void)
{
	struct prodd_error e;
	struct stat st;

	if (fstat(SERVE_FD, &st) < 0 || !S_ISSOCK(st.st_mode))
		return usage("descriptor 3 is no socket: prodd starts this program so; by hand use --check");
	if (confine_helper(&e) < 0 || serve_one(SERVE_FD, &e) < 0)
		return failed(&e);
	return 0;
}

static int check(struct command_check *what)
{
	const char *run_env = getenv("RUN_ENV");
	struct prodd_error e;

	if (!what->directory && !what->conf)
		return usage("nothing to check");
	if (what->directory && what->conf)
		return usage("--check and --check-prodd-conf exclude each other");
	if (what->directory && !what->environment)
		what->environment = run_env && *run_env ? run_env : "development";
	if (confine_command(&e) < 0)
		return failed(&e);
	return command_check(what);
}

static int print(void (*printer)(FILE *out))
{
	printer(stdout);
	return fflush(stdout) == 0 ? 0 : 1;
}

int main(int argc, char **argv)
{
	struct command_check what = { 0 };
	int option;

	if (argc == 1)
		return serve();
	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (option) {
		case OPTION_HELP:
			return fputs(help, stdout) < 0 || fflush(stdout) != 0;
		case OPTION_VERSION:
			version_print("prodd-parse");
			return fflush(stdout) != 0;
		case OPTION_PRINT_CONF:
			return print(prodd_conf_print);
		case OPTION_PRINT_SCD:
			return print(prodd_conf_print_scd);
		case OPTION_CHECK:
			what.directory = optarg;
			break;
		case OPTION_CHECK_CONF:
			what.conf = optarg;
			break;
		case OPTION_ENV:
			what.environment = optarg;
			break;
		case OPTION_APP:
			what.app = optarg;
			break;
		case OPTION_JSON:
			what.json = true;
			break;
		default:
			return usage("unknown option");
		}
	}
	if (what.conf && optind < argc)
		what.conf_d = argv[optind++];
	return optind < argc ? usage("too many arguments") : check(&what);
}
