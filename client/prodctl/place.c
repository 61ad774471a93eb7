/* SPDX-License-Identifier: Apache-2.0 */
/* A blocking connect bounded by SO_SNDTIMEO: poll cannot wait for room in a Unix socket's backlog. */
#include "config.h"

#include "client/prodctl/place.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

static const char ctl_name[] = "ctl.sock";
static const char app_name[] = "app.sock";

static int set_path(char *ret, size_t size, struct prodd_error *e, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

static int set_path(char *ret, size_t size, struct prodd_error *e, const char *format, ...)
{
	va_list args;
	int length;

	va_start(args, format);
	length = vsnprintf(ret, size, format, args);
	va_end(args);
	if (length < 0 || (size_t)length >= size)
		return prodd_error_set(e, PRODD_E_USAGE,
				       "the path of the socket has %d bytes, at most %zu are possible: %s...",
				       length, size - 1, ret);
	return 0;
}

/* Connects to place->path. Returns the descriptor or -errno. */
static int try_connect(const struct place *place, int timeout_ms)
{
	struct timeval timeout = { .tv_sec = timeout_ms / 1000, .tv_usec = timeout_ms % 1000 * 1000 };
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int error;

	if (fd < 0)
		return -errno;
	memcpy(address.sun_path, place->path, sizeof address.sun_path);
	if (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof timeout) == 0 &&
	    connect(fd, (struct sockaddr *)&address, sizeof address) == 0 &&
	    fcntl(fd, F_SETFL, O_RDWR | O_NONBLOCK) == 0)
		return fd;
	error = errno;
	close(fd);
	return -error;
}

static bool is_denied(int error)
{
	return error == -EACCES || error == -EPERM;
}

int place_refused(const char *path, struct prodd_error *e)
{
	const struct passwd *me = getpwuid(geteuid());
	char who[64], operators[128] = "root and the group prodd-admin";
	struct stat st;

	if (me)
		snprintf(who, sizeof who, "%s", me->pw_name);
	else
		snprintf(who, sizeof who, "uid %u", (unsigned)geteuid());
	if (stat(path, &st) == 0) {
		const struct passwd *owner = getpwuid(st.st_uid);
		const struct group *group = st.st_mode & S_IWGRP ? getgrgid(st.st_gid) : NULL;

		if (owner)
			snprintf(operators, sizeof operators, "%s%s%s", owner->pw_name,
				 group ? " and the group " : "", group ? group->gr_name : "");
	}
	return prodd_error_set(e, PRODD_E_NOT_PERMITTED,
			       "%s: Permission denied: you are %s; operators are %s", path, who, operators);
}

static int say_why(const struct place *place, int error, int timeout_ms, struct prodd_error *e)
{
	if (is_denied(error))
		return place_refused(place->path, e);
	if (error == -EAGAIN)
		return prodd_error_set(e, PRODD_E_UNREACHABLE,
				       "no prodd at %s: it does not accept within %d ms", place->path,
				       timeout_ms);
	return prodd_error_set(e, PRODD_E_UNREACHABLE, "no prodd at %s: %s", place->path, strerror(-error));
}

/* place->path is a ctl.sock that refused: tries the app.sock beside it. */
static int fall_back(struct place *place, int timeout_ms, struct prodd_error *e)
{
	struct place app = *place;
	char *slash = strrchr(app.path, '/');
	int fd;

	memcpy(slash ? slash + 1 : app.path, app_name, sizeof app_name);
	fd = try_connect(&app, timeout_ms);
	if (fd >= 0 || fd == -ECONNREFUSED) {		/* refused: nobody listens, whoever you are */
		memcpy(app.denied, place->path, sizeof app.denied);
		*place = app;
		return fd >= 0 ? fd : say_why(place, fd, timeout_ms, e);
	}
	return place_refused(place->path, e);
}

static bool names_ctl(const char *path)
{
	const char *slash = strrchr(path, '/');

	return strcmp(slash ? slash + 1 : path, ctl_name) == 0;
}

static int connect_path(struct place *place, int timeout_ms, struct prodd_error *e)
{
	int fd = try_connect(place, timeout_ms);

	if (fd >= 0)
		return fd;
	if (is_denied(fd) && names_ctl(place->path))
		return fall_back(place, timeout_ms, e);
	return say_why(place, fd, timeout_ms, e);
}

/* A socket, or the directory of both. */
static int connect_chosen(struct place *place, const char *chosen, int timeout_ms, struct prodd_error *e)
{
	struct stat st;
	bool directory = stat(chosen, &st) == 0 && S_ISDIR(st.st_mode);
	int r = set_path(place->path, sizeof place->path, e, "%s%s%s", chosen, directory ? "/" : "",
			 directory ? ctl_name : "");

	return r < 0 ? r : connect_path(place, timeout_ms, e);
}

int place_connect(struct place *ret, const char *chosen, int timeout_ms, struct prodd_error *e)
{
	const char *runtime = secure_getenv("XDG_RUNTIME_DIR");
	int fd;

	memset(ret, 0, sizeof *ret);
	if (!chosen)
		chosen = secure_getenv("PRODD_CTL");
	if (chosen && *chosen)
		return connect_chosen(ret, chosen, timeout_ms, e);
	if (runtime && *runtime &&
	    set_path(ret->path, sizeof ret->path, NULL, "%s/prodd/%s", runtime, ctl_name) == 0) {
		fd = try_connect(ret, timeout_ms);
		if (fd >= 0)
			return fd;
	}
	return connect_chosen(ret, PLACE_SYSTEM "/ctl.sock", timeout_ms, e);
}
