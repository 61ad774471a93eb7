/* SPDX-License-Identifier: Apache-2.0 */
/* All paths are absolute from the start, so that nothing depends on where the daemon stands later. */
#define _GNU_SOURCE
#include "daemon/core/places.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "daemon/util/file.h"

#define LOCK_TRIES 100		/* 5 ms each */

/* ---- naming */

static int join(char **ret, const char *base, const char *rest)
{
	return asprintf(ret, "%s%s", base, rest) < 0 ? (*ret = NULL, -1) : 0;
}

/* The first of systemd's colon-separated directories; NULL: not set. */
static char *first_of(const char *variable)
{
	const char *value = secure_getenv(variable);

	return value && *value == '/' ? strndup(value, strcspn(value, ":")) : NULL;
}

static const char *home(void)
{
	const char *value = secure_getenv("HOME");
	const struct passwd *user;

	if (value && *value == '/')
		return value;
	user = getpwuid(geteuid());
	return user ? user->pw_dir : "/";
}

/* An XDG directory with "/prodd" behind it (specifications.freedesktop.org/basedir-spec). */
static char *xdg(const char *variable, const char *below_home)
{
	const char *value = secure_getenv(variable);
	char *ret;

	if (value && *value == '/')
		return join(&ret, value, "/prodd") < 0 ? NULL : ret;
	return asprintf(&ret, "%s/%s/prodd", home(), below_home) < 0 ? NULL : ret;
}

static char *first_or(const char *variable, const char *usual)
{
	char *value = first_of(variable);

	return value ? value : strdup(usual);
}

static bool is_system(void)
{
	const char *run = secure_getenv("RUNTIME_DIRECTORY");
	const char *users = secure_getenv("XDG_RUNTIME_DIR");

	if (geteuid() == 0)
		return true;
	return run && *run && !(users && *users && strncmp(run, users, strlen(users)) == 0);
}

static char *absolute(const char *directory)
{
	char *ret, *here;

	if (*directory == '/')
		return strdup(directory);
	here = getcwd(NULL, 0);
	if (!here || asprintf(&ret, "%s/%s", here, directory) < 0)
		ret = NULL;
	free(here);
	return ret;
}

/* ---- modes: each names the directory of configuration, the one of sockets and the one of state */

static int name_directory(struct places *p, const char *directory, char **ret_conf)
{
	*ret_conf = absolute(directory);
	if (!*ret_conf)
		return -1;
	while (strlen(*ret_conf) > 1 && (*ret_conf)[strlen(*ret_conf) - 1] == '/')
		(*ret_conf)[strlen(*ret_conf) - 1] = '\0';
	if (join(&p->run, *ret_conf, "/run") < 0 || join(&p->log, *ret_conf, "/log") < 0)
		return -1;
	return join(&p->state, *ret_conf, "/state");
}

static int name_system(struct places *p, char **ret_conf)
{
	*ret_conf = first_or("CONFIGURATION_DIRECTORY", "/etc/prodd");
	p->run = first_or("RUNTIME_DIRECTORY", "/run/prodd");
	p->state = first_or("STATE_DIRECTORY", "/var/lib/prodd");
	p->log = first_or("LOGS_DIRECTORY", "/var/log/prodd");
	return *ret_conf && p->run && p->state && p->log ? 0 : -1;
}

static int name_user(struct places *p, char **ret_conf)
{
	*ret_conf = xdg("XDG_CONFIG_HOME", ".config");
	p->state = xdg("XDG_STATE_HOME", ".local/state");
	if (!*ret_conf || !p->state || join(&p->log, p->state, "/log") < 0)
		return -1;
	return join(&p->run, secure_getenv("XDG_RUNTIME_DIR"), "/prodd");
}

static int name_rest(struct places *p, const char *conf)
{
	if (join(&p->conf, conf, "/prodd.conf") < 0 || join(&p->conf_d, conf, "/conf.d") < 0 ||
	    join(&p->apps, conf, "/apps") < 0 || join(&p->app_socket, p->run, "/app.sock") < 0)
		return -1;
	return join(&p->ctl_socket, p->run, "/ctl.sock") < 0 ? -1 : join(&p->http_socket, p->run, "/http.sock");
}

int places_init(struct places *ret, const char *directory, struct prodd_error *e)
{
	const char *users = secure_getenv("XDG_RUNTIME_DIR");
	char *conf = NULL;
	int r;

	*ret = (struct places){ .mode = directory ? PLACES_DIRECTORY : is_system() ? PLACES_SYSTEM : PLACES_USER };
	if (ret->mode == PLACES_USER && !(users && *users == '/'))
		return prodd_error_set(e, PRODD_E_USAGE,
				       "XDG_RUNTIME_DIR is not set, so there is no place for sockets; use --dir DIRECTORY");
	if (directory)
		r = name_directory(ret, directory, &conf);
	else
		r = ret->mode == PLACES_SYSTEM ? name_system(ret, &conf) : name_user(ret, &conf);
	if (r == 0)
		r = name_rest(ret, conf);
	free(conf);
	if (r < 0)
		r = prodd_error_set(e, PRODD_E_NO_MEMORY, "names of directories");
	else if (strlen(ret->http_socket) > PLACES_SOCKET_MAX)	/* the longest */
		r = prodd_error_set(e, PRODD_E_USAGE, "%s: a socket's path has at most %d bytes, this one %zu",
				    ret->http_socket, PLACES_SOCKET_MAX, strlen(ret->http_socket));
	if (r < 0)
		places_clear(ret);
	return r;
}

/* ---- making */

static int make_own(const char *path, mode_t mode, struct prodd_error *e)
{
	auto_fd fd = file_make_directory(AT_FDCWD, path, mode, e);
	struct stat st;

	if (fd < 0)
		return fd;
	if (fstat(fd, &st) < 0)
		return prodd_error_set(e, PRODD_E_IO, "%s: %s", path, strerror(errno));
	if (st.st_uid != geteuid())
		return prodd_error_set(e, PRODD_E_IO, "%s belongs to uid %u, not to uid %u that prodd runs as", path,
				       (unsigned)st.st_uid, (unsigned)geteuid());
	if ((st.st_mode & 07777) != mode && fchmod(fd, mode) < 0)
		return prodd_error_set(e, PRODD_E_IO, "%s: mode: %s", path, strerror(errno));
	return 0;
}

static int name_holder(int lock, const char *run, struct prodd_error *e)
{
	char pid[16] = "";
	ssize_t n = pread(lock, pid, sizeof pid - 1, 0);

	pid[n > 0 ? n : 0] = '\0';
	return prodd_error_set(e, PRODD_E_BUSY, "%s: another prodd (pid %d) has this directory", run, atoi(pid));
}

/* One that was killed lets go when its last thread is gone, and a helper that it was starting: milliseconds, as a rule. */
static int wait_for_lock(int fd)
{
	const struct timespec pause = { .tv_nsec = 5000000 };

	for (int i = 0; i < LOCK_TRIES; i++) {
		if (flock(fd, LOCK_EX | LOCK_NB) == 0)
			return 0;
		nanosleep(&pause, NULL);
	}
	return -1;
}

static int take_lock(struct places *places, struct prodd_error *e)
{
	char *path;
	auto_fd fd = -1;

	if (join(&path, places->run, "/prodd.lock") < 0)
		return prodd_error_set(e, PRODD_E_NO_MEMORY, "%s", places->run);
	fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	free(path);
	if (fd < 0)
		return prodd_error_set(e, PRODD_E_IO, "%s/prodd.lock: %s", places->run, strerror(errno));
	if (wait_for_lock(fd) < 0)
		return name_holder(fd, places->run, e);
	if (ftruncate(fd, 0) < 0 || dprintf(fd, "%d\n", (int)getpid()) < 0)
		return prodd_error_set(e, PRODD_E_IO, "%s/prodd.lock: %s", places->run, strerror(errno));
	places->lock = fd;
	places->locked = true;
	fd = -1;	/* held until places_clear() */
	return 0;
}

int places_make(struct places *places, struct prodd_error *e)
{
	int r = make_own(places->run, places->mode == PLACES_USER ? 0700 : 0755, e);

	if (r == 0)
		r = take_lock(places, e);
	return r < 0 ? r : make_own(places->state, 0700, e);
}

int places_make_log(const struct places *places, struct prodd_error *e)
{
	return make_own(places->log, places->mode == PLACES_USER ? 0700 : 0750, e);
}

void places_clear(struct places *places)
{
	free(places->conf);
	free(places->conf_d);
	free(places->apps);
	free(places->run);
	free(places->app_socket);
	free(places->ctl_socket);
	free(places->http_socket);
	free(places->state);
	free(places->log);
	if (places->locked)
		close(places->lock);
	*places = (struct places){ 0 };
}
