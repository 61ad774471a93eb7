/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Limits of the wire.  Each is checked before anything is allocated.
 */
#ifndef PRODD_PROTO_LIMITS_H
#define PRODD_PROTO_LIMITS_H

#define PRODD_PROTOCOL_VERSION 1	/* highest protocol version spoken here */
#define PRODD_PROTOCOL_OLDEST 1		/* lowest */

#define PRODD_FRAME_HEADER 4		/* bytes of the length, big-endian */

/* What prodd receives on its two sockets. */
#define PRODD_FRAME_MAX (256u * 1024)	/* bytes of a frame after its length */
#define PRODD_DEPTH_MAX 16u		/* maps and arrays inside one another */
#define PRODD_NODES_MAX 4096u		/* values in a frame, containers included */

/* What an app or a helper's parent receives: served snapshots may have 1 MiB, a
 * report of 5,000 settings with all their origins a few. */
#define PRODD_REPLY_MAX (8u * 1024 * 1024)
#define PRODD_REPLY_NODES_MAX 262144u

#define PRODD_SNAPSHOT_MAX (1024u * 1024)	/* bytes of a snapshot, encoded */
#define PRODD_KEY_MAX 255u			/* bytes of a dotted name */
#define PRODD_APP_MAX 63u			/* bytes of an app's name */
#define PRODD_SETTINGS_MAX 5000u		/* settings of an app and environment */
#define PRODD_HELLO_TIMEOUT_MS 2000		/* from the connect to the whole hello */

#endif
