/* SPDX-License-Identifier: Apache-2.0 */
/* The limits that this process puts on itself before it looks at a byte of a file. */
#ifndef PRODD_PARSE_CONFINE_H
#define PRODD_PARSE_CONFINE_H

#include <prodd/error.h>

#define CONFINE_MEMORY (256u * 1024 * 1024)	/* bytes of address space: for 1 MiB of files 40 are needed */
#define CONFINE_CPU 2u				/* seconds, then SIGXCPU */
#define CONFINE_FILES 4u			/* descriptors: stdin, stdout, stderr and the socket */

/*
 * Dies with its parent; gains no rights; may write no file, leave no core, open nothing more. Returns 0,
 * -PRODD_E_FAILED, or -PRODD_E_CLOSED when the parent has gone already.
 * Under a sanitizer, which needs terabytes of address space and looks into /proc at the end, memory is not
 * limited and files a little.
 */
int confine_helper(struct prodd_error *e);

/* The same for a run by hand, which opens files, but none for writing, and has no parent to die with. */
int confine_command(struct prodd_error *e);

#endif
