/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What needs a person, written once: X(ID, "id", help).  Each id is a row in
 * status, and a heading in the operators' manual.
 */
#ifndef PRODD_CONFIG_PROBLEMS_H
#define PRODD_CONFIG_PROBLEMS_H

#define PROBLEMS(X)                                                                                          \
	X(CONFIG_NONE, "config_none", "An app has instances, but no valid configuration was ever live.")     \
	X(CONFIG_DIFFERS, "config_differs",                                                                  \
	  "Files differ from the live generation and are not offered by themselves.")                        \
	X(CONFIG_WRITER, "config_writer",                                                                    \
	  "A file has been open for writing for over 30 s; its content is not used.")                        \
	X(CONFIG_UNCONFIRMED, "config_unconfirmed", "A change rolls back by itself unless it is confirmed.") \
	X(INSTANCE_DIVERGED, "instance_diverged", "An instance cannot use the live generation.")             \
	X(INSTANCE_REFUSED, "instance_refused", "An instance's own variables break the live generation.")    \
	X(INSTANCE_RESTART, "instance_restart", "An instance must be restarted to use a setting.")           \
	X(INSTANCE_UNCONFIRMED, "instance_unconfirmed", "An instance did not confirm the live generation.")  \
	X(APP_CLAIM, "app_claim", "A process claims an app name that it may not use.")

#endif
