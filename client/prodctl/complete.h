/* SPDX-License-Identifier: Apache-2.0 */
/* What may come next, for the completions of bash and zsh. */
#ifndef PRODCTL_COMPLETE_H
#define PRODCTL_COMPLETE_H

/*
 * `prodctl --complete WORD...`: the last word is the one being typed.  Prints a
 * line for each candidate: the word, a tab, what it is.  Asks the daemon for
 * names of apps, instances and keys, and for half a second at most.  Returns 0,
 * the exit status.
 */
int complete(int count, char *words[]);

#endif
