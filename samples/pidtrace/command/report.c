// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * report - what a person, or a program, reads in the end
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "report.h"

#define WIDTH_NUMBER	13
#define WIDTH_TIME	11
#define WIDTH_BAR	40

/* Room for a number in words. */
struct cell {
	char text[32];
};

/* 1234567 as "1,234,567". */
static const char *grouped(struct cell *cell, uint64_t n)
{
	char digits[24];
	int len = snprintf(digits, sizeof(digits), "%" PRIu64, n);
	char *to = cell->text;

	for (int i = 0; i < len; i++) {
		if (i && (len - i) % 3 == 0)
			*to++ = ',';
		*to++ = digits[i];
	}
	*to = '\0';
	return cell->text;
}

/* Three significant digits and a unit. */
static const char *duration(struct cell *cell, uint64_t ns)
{
	static const char *const unit[] = { "ns", "us", "ms", "s" };
	double t = ns;
	size_t u = 0;

	while (t >= 999.5 && u < 3) {
		t /= 1000;
		u++;
	}
	snprintf(cell->text, sizeof(cell->text), "%.*f %2s",
		 !u || t >= 99.95 ? 0 : t >= 9.995 ? 1 : 2, t, unit[u]);
	return cell->text;
}

static const char *plural(uint64_t n)
{
	return n == 1 ? "" : "s";
}

static void count_reasons(FILE *f, const struct plan *plan)
{
	size_t by_reason[NR_REFUSALS] = { 0 };
	const char *separator = ": ";

	for (size_t i = 0; i < plan->nr_refused; i++)
		by_reason[plan->refused[i].why]++;
	for (size_t i = 0; i < NR_REFUSALS; i++) {
		if (!by_reason[i])
			continue;
		fprintf(f, "%s%zu %s", separator, by_reason[i], refusal_short(i));
		separator = ", ";
	}
}

/* What the kernel says is not known beforehand, but there are few ways to say it. */
static void count_details(FILE *f, const struct plan *plan)
{
	struct {
		const char *text;
		size_t n;
	} detail[16] = { 0 };

	for (size_t i = 0; i < plan->nr_refused; i++) {
		const char *text = plan->refused[i].detail;
		size_t k = 0;

		if (!text)
			continue;
		while (k < 15 && detail[k].text && strcmp(detail[k].text, text))
			k++;
		detail[k].text = k < 15 ? text : "for other reasons; -v shows them";
		detail[k].n++;
	}
	for (size_t k = 0; k < 16 && detail[k].text; k++)
		fprintf(f, "pidtrace: the kernel refused %zu: %s\n", detail[k].n, detail[k].text);
}

static void print_no_return(FILE *f, const struct plan *plan)
{
	fprintf(f, "%zu function%s no return instruction (left by a jump, or never)",
		plan->nr_no_return, plan->nr_no_return == 1 ? " has" : "s have");
}

void report_summary(FILE *f, const struct plan *plan)
{
	size_t functions = 0, entries = 0, returns = 0, with_return = 0, offsets = 0;

	for (size_t i = 0; i < plan->nr_rows; i++) {
		const struct row *row = &plan->row[i];

		if (row->has_offset) {
			offsets += row->nr_entry;
			continue;
		}
		functions++;
		entries += row->nr_entry;
		returns += row->nr_return;
		with_return += row->nr_return != 0;
	}
	fputs("pidtrace: ", f);
	if (functions)
		fprintf(f, "%zu function%s match%s, %zu entry probe%s, %zu return probe%s on %zu function%s, ",
			functions, plural(functions), functions == 1 ? "es" : "",
			entries, plural(entries), returns, plural(returns),
			with_return, plural(with_return));
	if (offsets)
		fprintf(f, "%zu offset probe%s, ", offsets, plural(offsets));
	fprintf(f, "%zu refused", plan->nr_refused);
	count_reasons(f, plan);
	fputc('\n', f);
	count_details(f, plan);
	if (plan->nr_no_return) {
		fputs("pidtrace: ", f);
		print_no_return(f, plan);
		fputs(": no return probe\n", f);
	}
	if (plan->nr_unnamed)
		fprintf(f, "pidtrace: %zu function%s known from unwind data only, without a name: not matched\n",
			plan->nr_unnamed, plan->nr_unnamed == 1 ? " is" : "s are");
}

static const char *kind_name(enum probe_kind kind)
{
	return kind == PROBE_RETURN ? "return" : "entry";
}

static void print_refused(FILE *f, const struct plan *plan, const struct refused *refused)
{
	const struct row *row = &plan->row[refused->row];
	char *title = row_title(row);

	fprintf(f, "%s:%s", row->module, title);
	if (!row->has_offset)
		fprintf(f, ":%s", kind_name(refused->kind));
	fputs(" refused", f);
	if (refused->offset && !row->has_offset)
		fprintf(f, " (at +%" PRIx64 ")", refused->offset);
	fprintf(f, ": %s", refused->detail ? refused->detail : refusal_text(refused->why));
	free(title);
}

void report_refused(FILE *f, const struct plan *plan, size_t limit)
{
	for (size_t i = 0; i < plan->nr_refused && i < limit; i++) {
		fputs("pidtrace: ", f);
		print_refused(f, plan, &plan->refused[i]);
		fputc('\n', f);
	}
	if (plan->nr_refused > limit)
		fprintf(f, "pidtrace: ... and %zu more; -v shows all\n", plan->nr_refused - limit);
}

void report_nothing(FILE *f, const struct plan *plan, bool all)
{
	size_t n = plan->nr_refused;

	if (all && n > 1) {
		report_refused(f, plan, SIZE_MAX);
		fprintf(f, "pidtrace: no probe could be placed: all %zu were refused\n", n);
		return;
	}
	fputs("pidtrace: no probe could be placed: ", f);
	if (n)
		print_refused(f, plan, &plan->refused[0]);
	else
		print_no_return(f, plan);
	if (n > 1)
		fprintf(f, "; and %zu more, which -v shows", n - 1);
	fputc('\n', f);
}

static int longest(int width, const char *s)
{
	int n = strlen(s);

	return n > width ? n : width;
}

static void print_probe(FILE *f, const struct plan *plan, const struct row *row, int module,
			int function, const char *name, size_t places)
{
	char *provider = xasprintf("pid%d", plan->pid);

	fprintf(f, "%-10s  %-*s  %-*s  %s", provider, module, row->module,
		function, row->name, name);
	if (places > 1)
		fprintf(f, " (%zu places)", places);
	fputc('\n', f);
	free(provider);
}

void report_list(FILE *f, const struct plan *plan)
{
	int module = strlen("MODULE"), function = strlen("FUNCTION");

	for (size_t i = 0; i < plan->nr_rows; i++) {
		module = longest(module, plan->row[i].module);
		function = longest(function, plan->row[i].name);
	}
	if (!plan->nr_probes)
		return;
	fprintf(f, "%-10s  %-*s  %-*s  %s\n", "PROVIDER", module, "MODULE", function, "FUNCTION",
		"NAME");
	for (size_t i = 0; i < plan->nr_rows; i++) {
		const struct row *row = &plan->row[i];

		if (row->has_offset && row->nr_entry) {
			char *title = row_title(row);

			print_probe(f, plan, row, module, function, strrchr(title, ':') + 1, 1);
			free(title);
			continue;
		}
		if (row->nr_entry)
			print_probe(f, plan, row, module, function, "entry", 1);
		if (row->nr_return)
			print_probe(f, plan, row, module, function, "return", row->nr_return);
	}
}

/* The table: which rows, in which order, with which columns. */
struct table {
	const struct plan *plan;
	const struct result *result;
	uint32_t *order;
	size_t nr;
	bool modules;
	bool calls;
	bool returns;
	bool times;
	int width_module;
	int width_title;
};

static int by_time_and_calls(const void *a, const void *b, void *arg)
{
	const struct table *t = arg;
	uint32_t i = *(const uint32_t *)a, k = *(const uint32_t *)b;
	const struct pidtrace_count *x = &t->result->count[i], *y = &t->result->count[k];

	if (x->total_ns != y->total_ns)
		return x->total_ns > y->total_ns ? -1 : 1;
	if (x->calls != y->calls)
		return x->calls > y->calls ? -1 : 1;
	if (x->returns != y->returns)
		return x->returns > y->returns ? -1 : 1;
	return strcmp(t->plan->row[i].name, t->plan->row[k].name);
}

static void table_make(struct table *t, const struct plan *plan, const struct result *result)
{
	const char *module = NULL;

	*t = (struct table){ .plan = plan, .result = result };
	t->order = xcalloc(plan->nr_rows, sizeof(*t->order));
	t->width_module = strlen("MODULE");
	t->width_title = strlen("FUNCTION");
	for (size_t i = 0; i < plan->nr_rows; i++) {
		const struct pidtrace_count *count = &result->count[i];
		const struct row *row = &plan->row[i];
		char *title;

		t->calls |= row->nr_entry != 0;
		t->returns |= row->nr_return != 0;
		t->times |= row_is_timed(row);
		if (!count->calls && !count->returns)
			continue;
		t->order[t->nr++] = i;
		t->modules |= module && strcmp(module, row->module);
		module = row->module;
		title = row_title(row);
		t->width_title = longest(t->width_title, title);
		t->width_module = longest(t->width_module, row->module);
		free(title);
	}
	qsort_r(t->order, t->nr, sizeof(*t->order), by_time_and_calls, t);
}

static void table_head(FILE *f, const struct table *t)
{
	fprintf(f, "%-*s", t->width_title, "FUNCTION");
	if (t->modules)
		fprintf(f, "  %-*s", t->width_module, "MODULE");
	if (t->calls)
		fprintf(f, "%*s", WIDTH_NUMBER, "CALLS");
	if (t->returns)
		fprintf(f, "%*s", WIDTH_NUMBER, "RETURNS");
	if (t->times)
		fprintf(f, "%*s%*s%*s", WIDTH_TIME, "TOTAL", WIDTH_TIME, "AVERAGE",
			WIDTH_TIME, "MAX");
	fputc('\n', f);
}

static void table_row(FILE *f, const struct table *t, uint32_t i)
{
	const struct pidtrace_count *count = &t->result->count[i];
	const struct row *row = &t->plan->row[i];
	char *title = row_title(row);
	struct cell a, b, c;

	fprintf(f, "%-*s", t->width_title, title);
	if (t->modules)
		fprintf(f, "  %-*s", t->width_module, row->module);
	if (t->calls)
		fprintf(f, "%*s", WIDTH_NUMBER, row->nr_entry ? grouped(&a, count->calls) : "-");
	if (t->returns)
		fprintf(f, "%*s", WIDTH_NUMBER, row->nr_return ? grouped(&a, count->returns) : "-");
	if (t->times && count->timed)
		fprintf(f, "%*s%*s%*s", WIDTH_TIME, duration(&a, count->total_ns),
			WIDTH_TIME, duration(&b, count->total_ns / count->timed),
			WIDTH_TIME, duration(&c, count->max_ns));
	else if (t->times)
		fprintf(f, "%*s%*s%*s", WIDTH_TIME, "-", WIDTH_TIME, "-", WIDTH_TIME, "-");
	fputc('\n', f);
	free(title);
}

static void note(FILE *f, uint64_t n, const char *what)
{
	struct cell cell;

	if (n)
		fprintf(f, "%s %s\n", grouped(&cell, n), what);
}

void report_lost(FILE *f, const struct result *result)
{
	const struct pidtrace_state *state = &result->state;

	note(f, state->stale, "calls were left without a return: by a tail call, longjmp or an exception");
	note(f, state->unpaired, "returns belong to calls from before the probes were in, or to untimed ones");
	note(f, state->no_thread, "calls were not timed: too many threads were in probed functions at once");
	note(f, state->too_deep, "calls were not timed: they were nested too deep");
}

static void table_foot(FILE *f, const struct table *t, size_t shown)
{
	uint64_t calls = 0, returns = 0;
	struct cell a, b;

	for (size_t i = 0; i < t->nr; i++) {
		calls += t->result->count[t->order[i]].calls;
		returns += t->result->count[t->order[i]].returns;
	}
	if (shown < t->nr)
		fprintf(f, "... and %zu more\n", t->nr - shown);
	fprintf(f, "\n%zu of %zu functions were called: %s calls, %s returns\n", t->nr,
		t->plan->nr_rows, grouped(&a, calls), grouped(&b, returns));
	if (t->times)
		fputs("times run from entry to return, callees and probes included\n", f);
	report_lost(f, t->result);
}

static size_t table_shown(const struct table *t, size_t top)
{
	return top && top < t->nr ? top : t->nr;
}

void report_table(FILE *f, const struct plan *plan, const struct result *result, size_t top)
{
	struct table t;
	size_t shown;

	table_make(&t, plan, result);
	shown = table_shown(&t, top);
	table_head(f, &t);
	for (size_t i = 0; i < shown; i++)
		table_row(f, &t, t.order[i]);
	table_foot(f, &t, shown);
	free(t.order);
}

static void print_bucket(FILE *f, int b, uint64_t n, uint64_t total)
{
	int bar = total ? (n * WIDTH_BAR + total / 2) / total : 0;
	struct cell value, count;

	fprintf(f, "%*s |%.*s%*s %s\n",
		WIDTH_TIME + 2, duration(&value, b ? UINT64_C(1) << b : 0),
		bar, "@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@", WIDTH_BAR - bar, "",
		grouped(&count, n));
}

static void print_histogram(FILE *f, const struct row *row, const uint64_t *bucket)
{
	int first = -1, last = -1;
	char *title = row_title(row);
	uint64_t total = 0;

	for (int b = 0; b < PIDTRACE_BUCKETS; b++) {
		if (!bucket[b])
			continue;
		if (first < 0)
			first = b;
		last = b;
		total += bucket[b];
	}
	if (total) {
		fprintf(f, "\n%s:%s\n", row->module, title);
		fprintf(f, "%*s  %-*s count\n", WIDTH_TIME + 2, "at least",
			WIDTH_BAR, "------------- distribution -------------");
		for (int b = first; b <= last; b++)
			print_bucket(f, b, bucket[b], total);
	}
	free(title);
}

void report_histograms(FILE *f, const struct plan *plan, const struct result *result, size_t top)
{
	struct table t;
	size_t shown;

	report_table(f, plan, result, top);
	table_make(&t, plan, result);
	shown = table_shown(&t, top);
	for (size_t i = 0; i < shown; i++)
		print_histogram(f, &plan->row[t.order[i]],
				&result->bucket[(size_t)t.order[i] * PIDTRACE_BUCKETS]);
	free(t.order);
}

/* A field of a CSV file, quoted if it must be. */
static void csv_text(FILE *f, const char *s)
{
	if (!strpbrk(s, ",\"\n")) {
		fputs(s, f);
		return;
	}
	fputc('"', f);
	for (; *s; s++) {
		if (*s == '"')
			fputc('"', f);
		fputc(*s, f);
	}
	fputc('"', f);
}

static void csv_row(FILE *f, const struct row *row, const struct pidtrace_count *count,
		    const uint64_t *bucket)
{
	char *title = row_title(row);

	csv_text(f, row->module);
	fputc(',', f);
	csv_text(f, title);
	fputc(',', f);
	for (size_t i = 0; i < row->nr_aliases; i++) {
		if (i)
			fputc(' ', f);
		csv_text(f, row->alias[i]);
	}
	fprintf(f, ",%" PRIx64 ",%zu,%zu,%llu,%llu,%llu,%llu,%llu", row->address + row->offset,
		row->nr_entry, row->nr_return, count->calls, count->returns, count->timed,
		count->total_ns, count->max_ns);
	if (bucket) {
		fputc(',', f);
		for (int b = 0; b < PIDTRACE_BUCKETS; b++)
			fprintf(f, "%s%" PRIu64, b ? " " : "", bucket[b]);
	}
	fputc('\n', f);
	free(title);
}

void report_csv(FILE *f, const struct plan *plan, const struct result *result)
{
	fputs("module,function,aliases,address,entry_probes,return_probes,", f);
	fputs("calls,returns,timed,total_ns,max_ns", f);
	fputs(result->bucket ? ",log2_ns\n" : "\n", f);
	for (size_t i = 0; i < plan->nr_rows; i++)
		csv_row(f, &plan->row[i], &result->count[i],
			result->bucket ? &result->bucket[i * PIDTRACE_BUCKETS] : NULL);
}
