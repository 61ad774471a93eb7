/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names over all apps: an exposition has one type for each, so where apps
 * disagree one is shown and the others are hidden: those of apps that have their
 * name by right come first, then those that were here first. Asked for alone, each app is shown whole.
 */
#ifndef PRODD_METRIC_NAMES_H
#define PRODD_METRIC_NAMES_H

struct metric;

/* Sets family.hidden of all; after families have come or gone. Without memory all stay as they are. */
void names_settle(struct metric *metric);

#endif
