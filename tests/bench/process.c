/* SPDX-License-Identifier: Apache-2.0 */
/* prodd in a directory of its own, and what a process costs. */
#include "tests/bench/bench.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static int try_connect(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int r;

	strncpy(address.sun_path, path, sizeof address.sun_path - 1);
	r = connect(fd, (struct sockaddr *)&address, sizeof address);
	close(fd);
	return r;
}

void write_file(const char *directory, const char *name, const char *content)
{
	char path[256];
	FILE *file;

	snprintf(path, sizeof path, "%s/%s", directory, name);
	file = fopen(path, "w");
	if (!file || fputs(content, file) < 0 || fclose(file) != 0)
		die(path);
}

static void start(struct prodd_process *p)
{
	const char *program = getenv("PRODD_BIN");
	uint64_t begin = now_ns();

	if (!program)
		program = "./prodd";
	p->pid = fork();
	if (p->pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		execl(program, program, "--dir", p->directory, "--log-level", "error", (char *)NULL);
		_exit(127);
	}
	while (try_connect(p->app_socket) < 0) {
		if (waitpid(p->pid, NULL, WNOHANG) > 0)
			die("prodd has ended");
		usleep(50);
	}
	p->start_ms = (double)(now_ns() - begin) / 1e6;
}

void prodd_begin(struct prodd_process *p)
{
	char path[128];

	strcpy(p->directory, "/tmp/prodd-bench-XXXXXX");
	if (!mkdtemp(p->directory))
		die("mkdtemp");
	snprintf(path, sizeof path, "%s/apps", p->directory);
	mkdir(path, 0755);
	snprintf(path, sizeof path, "%s/apps/bench", p->directory);
	mkdir(path, 0755);
	write_file(path, "schema.conf", "keys = ( { key = \"a.number\"; type = \"int\"; default = 1; },\n"
					"{ key = \"a.text\"; type = \"string\"; default = \"x\"; } );\n");
	write_file(path, "default.conf", "a: { number = 1; text = \"hello\"; };\n");
	write_file(p->directory, "prodd.conf", "metrics: { series = 200000; };\n"
						 "sink: { local: { type = \"file\"; rotate_size = \"0\"; }; };\n");
	snprintf(p->app_socket, sizeof p->app_socket, "%s/run/app.sock", p->directory);
	snprintf(p->ctl_socket, sizeof p->ctl_socket, "%s/run/ctl.sock", p->directory);
	start(p);
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

void remove_tree(const char *directory)
{
	nftw(directory, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

void prodd_finish(struct prodd_process *p)
{
	kill(p->pid, SIGTERM);
	waitpid(p->pid, NULL, 0);
	remove_tree(p->directory);
}

double process_rss_mib(pid_t pid)
{
	char path[64];
	long pages = 0;
	FILE *file;

	snprintf(path, sizeof path, "/proc/%d/statm", (int)pid);
	file = fopen(path, "r");
	if (!file || fscanf(file, "%*s %ld", &pages) != 1)
		die(path);
	fclose(file);
	return (double)pages * (double)sysconf(_SC_PAGESIZE) / 1048576.0;
}

/* A program that does nothing but listen, for the time that fork and exec take anyway. */
void bench_start(void)
{
	enum { rounds = 15 };
	double prodd[rounds], bare[rounds];

	for (int i = 0; i < rounds; i++) {
		struct prodd_process p;
		uint64_t begin;
		pid_t pid;

		prodd_begin(&p);
		prodd[i] = p.start_ms;
		prodd_finish(&p);
		begin = now_ns();
		pid = fork();
		if (pid == 0) {
			execlp("true", "true", (char *)NULL);
			_exit(127);
		}
		waitpid(pid, NULL, 0);
		bare[i] = (double)(now_ns() - begin) / 1e6;
	}
	figure_add((struct figure){ "start to accepting", "fork, exec and end of true(1)", "ms", median(prodd, rounds),
				    median(bare, rounds), 0 });
}
