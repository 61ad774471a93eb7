/* SPDX-License-Identifier: Apache-2.0 */
/* From an embedded member to the struct that holds it. Lists are <sys/queue.h>, tables are uthash. */
#ifndef PRODD_UTIL_CONTAINER_H
#define PRODD_UTIL_CONTAINER_H

#include <stddef.h>

#define container_of(pointer, type, member) ((type *)(void *)((char *)(pointer) - offsetof(type, member)))

#endif
