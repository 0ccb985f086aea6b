/* SPDX-License-Identifier: GPL-2.0-only */
/* Exec and exit of processes. */
#ifndef _FASTTRAP_EVENTS_H
#define _FASTTRAP_EVENTS_H

int ft_events_init(void);
void ft_events_exit(void);

#endif /* _FASTTRAP_EVENTS_H */
