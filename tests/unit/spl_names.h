/* SPDX-License-Identifier: GPL-2.0-only */
/* The names that OpenZFS's spl.ko exports for task queues. */
#ifndef _SPL_NAMES_H
#define _SPL_NAMES_H

int taskq_create(void);
int taskq_create_synced(void);
int taskq_destroy(void);
int taskq_dispatch(void);
int taskq_dispatch_delay(void);
int taskq_dispatch_ent(void);
int taskq_empty_ent(void);
int taskq_init_ent(void);
int taskq_cancel_id(void);
int taskq_wait(void);
int taskq_wait_id(void);
int taskq_wait_outstanding(void);
int taskq_member(void);
int taskq_of_curthread(void);
int system_taskq(void);
int system_delay_taskq(void);

#endif /* _SPL_NAMES_H */
