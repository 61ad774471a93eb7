/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From a program's call to a line in a file: prodd's ring, spool and file
 * sink, and rsyslog's imptcp on a Unix socket to a file, in turns.  Nothing
 * may be lost. Processor time is that of all processes, the program's included.
 */
#include "tests/bench/bench.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <prodd/client.h>
#include <prodd/log.h>

enum { records = 800000, rounds = 3, batch = 64, ring_bytes = 8 << 20, limit_s = 60 };

struct flow {
	double rate;			/* thousands of records a second */
	double cpu;			/* seconds for a million records */
	double rss;			/* MiB, most, without shared mappings */
};

/* ---- what processes use */

/* utime and stime of proc(5), in seconds. */
static double process_cpu(pid_t pid)
{
	char path[64], text[1024], *at;
	unsigned long user = 0, system = 0;
	FILE *file;

	snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
	file = fopen(path, "r");
	if (!file)
		return 0;
	text[fread(text, 1, sizeof text - 1, file)] = '\0';
	fclose(file);
	at = strrchr(text, ')');
	if (!at || sscanf(at + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &system) != 2)
		return 0;
	return (double)(user + system) / (double)sysconf(_SC_CLK_TCK);
}

/* The children of `pid`, in place; returns how many. */
static unsigned children_of(pid_t pid, pid_t *ret, unsigned most)
{
	char path[64];
	unsigned count = 0;
	FILE *file;
	int child;

	snprintf(path, sizeof path, "/proc/%d/task/%d/children", (int)pid, (int)pid);
	file = fopen(path, "r");
	while (file && count < most && fscanf(file, "%d", &child) == 1)
		ret[count++] = child;
	if (file)
		fclose(file);
	return count;
}

static double family_cpu(pid_t pid)
{
	pid_t children[16];
	unsigned count = children_of(pid, children, 16);
	double cpu = process_cpu(pid);

	for (unsigned i = 0; i < count; i++)
		cpu += process_cpu(children[i]);
	return cpu;
}

/* Anonymous memory and the file pages that are its own: shared mappings are the rings' business. */
static double process_own_mib(pid_t pid)
{
	char path[64], line[256];
	double all = 0, shared = 0, kib;
	FILE *file;

	snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
	file = fopen(path, "r");
	while (file && fgets(line, sizeof line, file)) {
		if (sscanf(line, "VmRSS: %lf", &kib) == 1)
			all = kib;
		if (sscanf(line, "RssShmem: %lf", &kib) == 1)
			shared = kib;
	}
	if (file)
		fclose(file);
	return (all - shared) / 1024;
}

static double family_mib(pid_t pid)
{
	pid_t children[16];
	unsigned count = children_of(pid, children, 16);
	double mib = process_own_mib(pid);

	for (unsigned i = 0; i < count; i++)
		mib += process_own_mib(children[i]);
	return mib;
}

/* ---- lines in a file */

struct lines {
	const char *path;
	int fd;
	uint64_t count;
};

static void lines_look(struct lines *lines)
{
	static char bytes[1 << 20];
	ssize_t n;

	if (lines->fd < 0)
		lines->fd = open(lines->path, O_RDONLY | O_CLOEXEC);
	while (lines->fd >= 0 && (n = read(lines->fd, bytes, sizeof bytes)) > 0)
		for (const char *at = bytes; (at = memchr(at, '\n', (size_t)(bytes + n - at))); at++)
			lines->count++;
}

/* Waits for the program that sends, and for all its lines; the reader sleeps, so that it takes no time from what it measures. */
static void wait_for(struct lines *lines, pid_t sender, pid_t daemon, struct flow *flow, double *ret_sender_cpu)
{
	struct timespec pause = { .tv_nsec = 5000000 };
	struct stat st;
	uint64_t end = now_ns() + limit_s * UINT64_C(1000000000);
	off_t seen = -1;
	struct rusage usage;
	int status = 0;
	bool running = true;

	while (lines->count < records) {
		double mib = family_mib(daemon);

		if (mib > flow->rss)
			flow->rss = mib;
		if (running && wait4(sender, &status, WNOHANG, &usage) == sender)
			running = false;
		/* Counting is left until the file rests: it would be a third of the work. */
		if (!running && stat(lines->path, &st) == 0 && st.st_size == seen)
			lines_look(lines);
		seen = stat(lines->path, &st) == 0 ? st.st_size : -1;
		if (now_ns() > end || (!running && status != 0)) {
			fprintf(stderr, "bench: %s has %llu of %d lines; its sender ended with %#x\n", lines->path,
				(unsigned long long)lines->count, records, (unsigned)status);
			exit(1);
		}
		nanosleep(&pause, NULL);
	}
	if (running)
		wait4(sender, &status, 0, &usage);
	*ret_sender_cpu = (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
			  (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static uint64_t wall_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* The end is when the file was last written, not when that was seen. */
static void finish(struct flow *flow, const char *path, uint64_t begin, double cpu)
{
	struct stat st;
	uint64_t end;

	if (stat(path, &st) < 0)
		die(path);
	end = (uint64_t)st.st_mtim.tv_sec * 1000000000u + (uint64_t)st.st_mtim.tv_nsec;
	flow->rate = records / ((double)(end - begin) / 1e9) / 1e3;
	flow->cpu = cpu * 1e6 / records;
}

/* ---- prodd */

static void log_records(const char *socket)
{
	struct prodd *p = prodd_new("bench");
	struct prodd_error e;

	prodd_set_socket(p, socket);
	prodd_set_cache(p, NULL);
	prodd_set_log_ring(p, ring_bytes);
	prodd_set_log_blocking(p, limit_s * 1000);
	if (prodd_start(p, &e) < 0 || prodd_wait_config(p, 5000, &e) < 0)
		_exit(1);
	for (int i = 0; i < records; i++)
		if (prodd_info(p, "order served", prodd_int("order_id", i), prodd_str("customer", "c-1234567"),
			       prodd_float("amount", 12.5), prodd_str("method", "GET"), prodd_int("status", 200),
			       prodd_bool("cached", false)) < 0)
			_exit(2);
	prodd_free(p);
	_exit(0);
}

static void run_prodd(struct flow *flow)
{
	struct prodd_process process;
	char path[128];
	struct lines lines = { .path = path, .fd = -1 };
	double before, sender;
	uint64_t begin;
	pid_t pid;

	prodd_begin(&process);
	snprintf(path, sizeof path, "%s/log/bench.jsonl", process.directory);
	before = family_cpu(process.pid);
	begin = wall_ns();
	pid = fork();
	if (pid == 0)
		log_records(process.app_socket);
	wait_for(&lines, pid, process.pid, flow, &sender);
	finish(flow, path, begin, family_cpu(process.pid) - before + sender);
	close(lines.fd);
	prodd_finish(&process);
}

/* ---- rsyslog */

static void send_all(int fd, const char *bytes, size_t size)
{
	while (size > 0) {
		ssize_t n = write(fd, bytes, size);

		if (n < 0)
			_exit(2);
		bytes += n;
		size -= (size_t)n;
	}
}

static void send_lines(const char *socket_path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	static char out[batch * 512];
	size_t size = 0;

	strncpy(address.sun_path, socket_path, sizeof address.sun_path - 1);
	if (connect(fd, (struct sockaddr *)&address, sizeof address) < 0)
		_exit(1);
	for (int i = 0; i < records; i++) {
		size += (size_t)snprintf(out + size, 512, "<14>1 2026-11-22T03:02:11.123456Z host bench 4711 main "
					 "[f order_id=\"%d\" customer=\"c-1234567\" amount=\"12.5\" method=\"GET\" "
					 "status=\"200\" cached=\"false\"] order served\n", i);
		if (i % batch == batch - 1 || i == records - 1) {
			send_all(fd, out, size);
			size = 0;
		}
	}
	close(fd);
	_exit(0);
}

struct rsyslog {
	char directory[64];
	char socket[96];
	char file[96];
	pid_t pid;
};

static const char *rsyslogd(void)
{
	return access("/usr/sbin/rsyslogd", X_OK) == 0 ? "/usr/sbin/rsyslogd" : NULL;
}

static bool connects(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool ok;

	strncpy(address.sun_path, path, sizeof address.sun_path - 1);
	ok = connect(fd, (struct sockaddr *)&address, sizeof address) == 0;
	close(fd);
	return ok;
}

static void rsyslog_begin(struct rsyslog *r)
{
	char conf[1024], path[96];

	strcpy(r->directory, "/tmp/prodd-bench-XXXXXX");
	if (!mkdtemp(r->directory))
		die("mkdtemp");
	snprintf(r->socket, sizeof r->socket, "%s/in.sock", r->directory);
	snprintf(r->file, sizeof r->file, "%s/out.log", r->directory);
	snprintf(conf, sizeof conf,
		 "module(load=\"imptcp\")\n"
		 "input(type=\"imptcp\" path=\"%s\" unlink=\"on\")\n"
		 "template(name=\"raw\" type=\"string\" string=\"%%rawmsg%%\\n\")\n"
		 "action(type=\"omfile\" file=\"%s\" template=\"raw\")\n", r->socket, r->file);
	write_file(r->directory, "rsyslog.conf", conf);
	snprintf(path, sizeof path, "%s/rsyslog.conf", r->directory);
	r->pid = fork();
	if (r->pid == 0) {
		char pid_file[96];
		int null = open("/dev/null", O_RDWR);

		snprintf(pid_file, sizeof pid_file, "%s/pid", r->directory);
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		dup2(null, 1);
		dup2(null, 2);
		execl(rsyslogd(), "rsyslogd", "-n", "-f", path, "-i", pid_file, (char *)NULL);
		_exit(127);
	}
	while (!connects(r->socket)) {
		if (waitpid(r->pid, NULL, WNOHANG) > 0)
			die("rsyslogd has ended");
		usleep(1000);
	}
}

static void run_rsyslog(struct flow *flow)
{
	struct rsyslog r;
	struct lines lines = { .path = r.file, .fd = -1 };
	double before, sender;
	uint64_t begin;
	pid_t pid;

	rsyslog_begin(&r);
	before = family_cpu(r.pid);
	begin = wall_ns();
	pid = fork();
	if (pid == 0)
		send_lines(r.socket);
	wait_for(&lines, pid, r.pid, flow, &sender);
	finish(flow, r.file, begin, family_cpu(r.pid) - before + sender);
	close(lines.fd);
	kill(r.pid, SIGTERM);
	waitpid(r.pid, NULL, 0);
	remove_tree(r.directory);
}

/* ---- in turns, so that a busy machine is busy for both */

static double middle(const struct flow *flows, size_t offset)
{
	double values[rounds];

	for (int i = 0; i < rounds; i++)
		memcpy(&values[i], (const char *)&flows[i] + offset, sizeof values[i]);
	return median(values, rounds);
}

void bench_flow(void)
{
	struct flow ours[rounds] = { 0 }, theirs[rounds] = { 0 };
	bool peer = rsyslogd() != NULL;

	for (int i = 0; i < rounds; i++) {
		run_prodd(&ours[i]);
		if (peer)
			run_rsyslog(&theirs[i]);
	}
	figure_add((struct figure){ .name = "call to JSON line in a file", .bare = "rsyslog imptcp, 64 a write", .unit = "k/s",
				    .value = middle(ours, offsetof(struct flow, rate)),
				    .bare_value = middle(theirs, offsetof(struct flow, rate)), .goal = 2 });
	figure_add((struct figure){ .name = "the same, CPU of all processes for a million", .bare = "rsyslog", .unit = "s",
				    .value = middle(ours, offsetof(struct flow, cpu)),
				    .bare_value = middle(theirs, offsetof(struct flow, cpu)), .goal = 0.5 });
	figure_add((struct figure){ .name = "the same, most memory without rings", .bare = "rsyslog", .unit = "MiB",
				    .value = middle(ours, offsetof(struct flow, rss)),
				    .bare_value = middle(theirs, offsetof(struct flow, rss)) });
}
