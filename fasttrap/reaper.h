/* SPDX-License-Identifier: GPL-2.0-only */
/* Takes out what ended, and tries again what could not be taken out. */
#ifndef _FASTTRAP_REAPER_H
#define _FASTTRAP_REAPER_H

void ft_reaper_init(void);
void ft_reaper_exit(void);
void ft_reaper_kick(void);

#endif /* _FASTTRAP_REAPER_H */
