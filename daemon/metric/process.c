/* SPDX-License-Identifier: Apache-2.0 */
/* proc(5); /proc never blocks for longer than it takes to print. */
#include "daemon/metric/process.h"

#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/util/clock.h"

enum { stat_start = 22 };	/* field of /proc/PID/stat: start, in ticks since boot */

static void read_memory(struct process_figures *ret)
{
	double page = (double)sysconf(_SC_PAGESIZE);
	unsigned long long all, resident;
	FILE *file = fopen("/proc/self/statm", "re");

	if (!file)
		return;
	if (fscanf(file, "%llu %llu", &all, &resident) == 2) {
		ret->virtual_bytes = (double)all * page;
		ret->resident_bytes = (double)resident * page;
	}
	fclose(file);
}

/* Since Linux 6.2 the directory's size is their number; before, they are counted. */
static double count_fds(void)
{
	struct stat st;
	DIR *directory;
	double count = 0;

	if (stat("/proc/self/fd", &st) == 0 && st.st_size > 0)
		return (double)st.st_size;
	directory = opendir("/proc/self/fd");
	if (!directory)
		return 0;
	while (readdir(directory))
		count++;
	closedir(directory);
	return count - 3;	/* ".", ".." and the directory's own */
}

void process_read(struct process_figures *ret)
{
	struct rusage usage;
	struct rlimit limit;

	*ret = (struct process_figures){ 0 };
	if (getrusage(RUSAGE_SELF, &usage) == 0)
		ret->cpu_s = (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
			     (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0)
		ret->max_fds = (double)limit.rlim_cur;
	read_memory(ret);
	ret->open_fds = count_fds();
}

/* Field `stat_start` of /proc/self/stat; the name in field 2 may hold spaces and parentheses. */
static bool read_start_ticks(unsigned long long *ret)
{
	char text[1024];
	FILE *file = fopen("/proc/self/stat", "re");
	size_t size = file ? fread(text, 1, sizeof text - 1, file) : 0;
	const char *at;

	if (file)
		fclose(file);
	text[size] = '\0';
	at = strrchr(text, ')');
	for (int field = 2; at && field < stat_start; field++)
		at = strchr(at + 1, ' ');
	return at && sscanf(at, " %llu", ret) == 1;
}

uint64_t process_start_ns(void)
{
	uint64_t now_ms = clock_wall_ms(), boot_ms = clock_boot_ms(), start_ms;
	unsigned long long ticks;

	if (!read_start_ticks(&ticks))
		return now_ms * 1000000;
	start_ms = ticks * 1000 / (unsigned long long)sysconf(_SC_CLK_TCK);
	return (now_ms - (boot_ms > start_ms ? boot_ms - start_ms : 0)) * 1000000;
}
