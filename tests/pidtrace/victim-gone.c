// SPDX-License-Identifier: GPL-2.0-only
/*
 * victim-gone - a library that will not be there when it is needed
 */
int victim_global;
