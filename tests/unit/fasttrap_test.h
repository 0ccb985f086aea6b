/* SPDX-License-Identifier: GPL-2.0-only */
/* A consumer of fasttrap that a program drives through a file. */
#ifndef _FASTTRAP_TEST_H
#define _FASTTRAP_TEST_H

int fasttrap_consumer_init(void);
void fasttrap_consumer_exit(void);

#endif /* _FASTTRAP_TEST_H */
