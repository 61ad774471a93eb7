# SPDX-License-Identifier: Apache-2.0
# The checks of configure.ac that need more than a line.

# PRODD_NEED(VARIABLE, MODULE, DEBIAN-PACKAGE): a pkg-config module, or an error that names the package.
AC_DEFUN([PRODD_NEED], [
  PKG_CHECK_MODULES([$1], [$2], [],
    [AC_MSG_ERROR([$2 is missing; install: apt-get install $3])])
])

# PRODD_OPTIONAL(VARIABLE, MODULE, DEBIAN-PACKAGE, FOR)
AC_DEFUN([PRODD_OPTIONAL], [
  PKG_CHECK_MODULES([$1], [$2], [prodd_have_$1=yes],
    [prodd_have_$1=no
     AC_MSG_WARN([$2 is missing: no $4; install: apt-get install $3])])
  AM_CONDITIONAL([HAVE_$1], [test "x$prodd_have_$1" = xyes])
])

# msgpack-c's module is "msgpack" up to 5, "msgpack-c" since 6; the found name goes into prodd-client.pc.
AC_DEFUN([PRODD_MSGPACK], [
  PKG_CHECK_MODULES([MSGPACK], [msgpack-c >= 3], [MSGPACK_MODULE=msgpack-c],
    [PKG_CHECK_MODULES([MSGPACK], [msgpack >= 3], [MSGPACK_MODULE=msgpack],
      [AC_MSG_ERROR([msgpack-c is missing; install: apt-get install libmsgpack-dev])])])
  AC_SUBST([MSGPACK_MODULE])
])

AC_DEFUN([PRODD_C17], [
  AC_MSG_CHECKING([whether $CC takes -std=gnu17])
  prodd_saved_CFLAGS=$CFLAGS
  CFLAGS="$CFLAGS -std=gnu17"
  AC_COMPILE_IFELSE([AC_LANG_PROGRAM([[_Static_assert(__STDC_VERSION__ >= 201710L, "C17");]])],
    [AC_MSG_RESULT([yes])],
    [AC_MSG_RESULT([no])
     AC_MSG_ERROR([a C17 compiler is needed; install: apt-get install gcc])])
  CFLAGS=$prodd_saved_CFLAGS
  PRODD_CFLAGS="-std=gnu17 -Wall -Wextra -Wshadow -Wpointer-arith -Wstrict-prototypes -Wmissing-prototypes -Wformat=2 -Wno-format-nonliteral -Wvla -fno-common -fvisibility=hidden"
  AC_SUBST([PRODD_CFLAGS])
])

# --with-sanitizer=address,undefined or thread
AC_DEFUN([PRODD_SANITIZER], [
  AC_ARG_WITH([sanitizer],
    [AS_HELP_STRING([--with-sanitizer=LIST], [build with -fsanitize=LIST: address,undefined or thread])],
    [], [with_sanitizer=no])
  AS_IF([test "x$with_sanitizer" != xno], [
    prodd_sanitizer_flags="-fsanitize=$with_sanitizer -fno-omit-frame-pointer -g -O1"
    AS_CASE([$with_sanitizer], [*undefined*],
      [prodd_sanitizer_flags="$prodd_sanitizer_flags -fno-sanitize-recover=undefined"])
    prodd_saved_CFLAGS=$CFLAGS
    CFLAGS="$CFLAGS $prodd_sanitizer_flags"
    AC_LINK_IFELSE([AC_LANG_PROGRAM()], [],
      [AC_MSG_ERROR([$CC cannot link with -fsanitize=$with_sanitizer])])
    CFLAGS=$prodd_saved_CFLAGS
    PRODD_CFLAGS="$PRODD_CFLAGS $prodd_sanitizer_flags"
    PRODD_LDFLAGS="$PRODD_LDFLAGS -fsanitize=$with_sanitizer"
  ])
  AC_SUBST([PRODD_LDFLAGS])
  SANITIZER=$with_sanitizer
  AC_SUBST([SANITIZER])
])

AC_DEFUN([PRODD_WERROR], [
  AC_ARG_ENABLE([werror], [AS_HELP_STRING([--enable-werror], [treat warnings as errors])], [], [enable_werror=no])
  AS_IF([test "x$enable_werror" = xyes], [PRODD_CFLAGS="$PRODD_CFLAGS -Werror"])
])

AC_DEFUN([PRODD_LTO], [
  AC_ARG_ENABLE([lto], [AS_HELP_STRING([--enable-lto], [link-time optimisation])], [], [enable_lto=no])
  AS_IF([test "x$enable_lto" = xyes], [
    PRODD_CFLAGS="$PRODD_CFLAGS -flto=auto -ffat-lto-objects"
    dnl Across files gcc 12 takes what is set when a function says so for what may not be set.
    PRODD_LDFLAGS="$PRODD_LDFLAGS -flto=auto -Wno-maybe-uninitialized"
  ])
])

# Version, git hash, build date and features, for --version. A tarball names its commit and the time of it in
# .git-hash. SOURCE_DATE_EPOCH makes the date reproducible (reproducible-builds.org/specs/source-date-epoch); EPOCH is
# that, or the commit's time, for what goes into a tarball.
AC_DEFUN([PRODD_BUILD_INFO], [
  AC_MSG_CHECKING([what to call this build])
  AS_IF([test -e "$srcdir/.git-hash"], [prodd_commit=`cat "$srcdir/.git-hash"`],
    [test -e "$srcdir/.git"],
    [prodd_commit=`git -C "$srcdir" log -1 --abbrev=12 --format='%h %ct' 2>/dev/null`])
  AS_IF([test -z "$prodd_commit"], [prodd_commit="unknown `date +%s`"])
  PRODD_GIT_HASH=`echo $prodd_commit | cut -d' ' -f1`
  EPOCH=${SOURCE_DATE_EPOCH:-`echo $prodd_commit | cut -d' ' -f2`}
  PRODD_BUILD_DATE=`date -u -d "@${SOURCE_DATE_EPOCH:-$(date +%s)}" +%Y-%m-%d`
  AC_DEFINE_UNQUOTED([PRODD_GIT_HASH], ["$PRODD_GIT_HASH"], [commit of this build])
  AC_DEFINE_UNQUOTED([PRODD_BUILD_DATE], ["$PRODD_BUILD_DATE"], [day of this build, UTC])
  AC_SUBST([PRODD_GIT_HASH])
  AC_SUBST([PRODD_BUILD_DATE])
  AC_SUBST([EPOCH])
  AC_MSG_RESULT([$PRODD_GIT_HASH, $PRODD_BUILD_DATE])
])

# Behind the switches that it names.
AC_DEFUN([PRODD_FEATURES_DEFINED], [
  PRODD_FEATURES="sanitizer=$with_sanitizer lto=$enable_lto zstd=${with_zstd:-no}"
  AC_DEFINE_UNQUOTED([PRODD_FEATURES], ["$PRODD_FEATURES"], [switches of this build])
  AC_SUBST([PRODD_FEATURES])
])

# --with-zstd=auto: rotated files may be compressed by libzstd. $with_zstd is yes or no then.
AC_DEFUN([PRODD_ZSTD], [
  AC_ARG_WITH([zstd], [AS_HELP_STRING([--with-zstd=WHEN], [compress rotated files with libzstd: yes, no or auto])],
    [], [with_zstd=auto])
  AS_IF([test "x$with_zstd" != xno], [
    PKG_CHECK_MODULES([ZSTD], [libzstd >= 1.4], [with_zstd=yes], [
      AS_IF([test "x$with_zstd" = xyes], [AC_MSG_ERROR([libzstd is missing; install: apt-get install libzstd-dev])])
      with_zstd=no])
  ])
  AS_IF([test "x$with_zstd" = xyes], [AC_DEFINE([HAVE_ZSTD], [1], [libzstd is there])])
])

# Fuzz targets are linked with libFuzzer by --enable-fuzzers (CC=clang); without it the same targets replay
# their corpora in make check.
AC_DEFUN([PRODD_FUZZERS], [
  AC_ARG_ENABLE([fuzzers], [AS_HELP_STRING([--enable-fuzzers], [link fuzz targets with libFuzzer (needs CC=clang)])],
    [], [enable_fuzzers=no])
  AS_IF([test "x$enable_fuzzers" = xyes], [
    PRODD_CFLAGS="$PRODD_CFLAGS -g -O1 -fsanitize=fuzzer-no-link,address,undefined"
    PRODD_LDFLAGS="$PRODD_LDFLAGS -fsanitize=address,undefined"
    FUZZ_LDFLAGS="-fsanitize=fuzzer"
  ])
  AM_CONDITIONAL([FUZZERS], [test "x$enable_fuzzers" = xyes])
  AC_SUBST([FUZZ_LDFLAGS])
])

AC_DEFUN([PRODD_ATOMICS], [
  AC_MSG_CHECKING([for lock-free 64-bit atomics])
  AC_COMPILE_IFELSE([AC_LANG_PROGRAM([[#include <stdatomic.h>
    _Static_assert(ATOMIC_LLONG_LOCK_FREE == 2, "lock-free");]])],
    [AC_MSG_RESULT([yes])],
    [AC_MSG_RESULT([no])
     AC_MSG_ERROR([this processor has no lock-free 64-bit atomics: prodd needs them])])
])

AC_DEFUN([PRODD_DIRECTORIES], [
  AC_ARG_WITH([bashcompletiondir], [AS_HELP_STRING([--with-bashcompletiondir=DIR], [bash completions])],
    [bashcompletiondir=$withval], [bashcompletiondir='${datadir}/bash-completion/completions'])
  AC_ARG_WITH([zshcompletiondir], [AS_HELP_STRING([--with-zshcompletiondir=DIR], [zsh completions])],
    [zshcompletiondir=$withval], [zshcompletiondir='${datadir}/zsh/site-functions'])
  AC_SUBST([bashcompletiondir])
  AC_SUBST([zshcompletiondir])
  AC_SUBST([proddlibexecdir], ['${libexecdir}/prodd'])
])
