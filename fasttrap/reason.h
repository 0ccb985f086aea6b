/* SPDX-License-Identifier: GPL-2.0-only */
/* Why a probe was refused, in words and as an errno. */
#ifndef _FASTTRAP_REASON_H
#define _FASTTRAP_REASON_H

#include "fasttrap.h"

int ft_reason_errno(enum xfasttrap_reason reason);

#endif /* _FASTTRAP_REASON_H */
