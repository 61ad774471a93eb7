/* SPDX-License-Identifier: Apache-2.0 */
/* What the parts of the program that makes prodd-protocol(7) know of one another. */
#ifndef PRODD_DOC_PROTOCOL_PAGE_H
#define PRODD_DOC_PROTOCOL_PAGE_H

/* Writes an example to standard output, as a literal block of scdoc. An unknown name ends the program. */
void protocol_example(const char *name);

#endif
