/* Keys are longer than a line, so each stands on a line of its own, whole, for whoever has to look at that object; what is
 * wrong with it and what to do follow below it. */
#include "cli/store_print.h"

#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "cli/table.h"

#define INDENT 2
#define PROGRESS_EVERY_US 100000

/* ── progress ── */

void
sv_draw_progress (guint64 objects, guint64 bytes, const char *key, gpointer data)
{
  static gint64 last_us, first_us;
  const SvContext *context = data;
  gint64 now_us = g_get_monotonic_time ();
  if (!context->is_terminal || now_us - last_us < PROGRESS_EVERY_US)
    return;
  if (first_us == 0)
    first_us = now_us;
  last_us = now_us;
  g_autofree char *size = sv_bytes_shown (bytes);
  g_autofree char *rate = sv_bytes_shown (now_us > first_us ? (guint64)((double)bytes * 1e6 / (double)(now_us - first_us)) : 0);
  fprintf (stderr, "\r\033[K%" G_GUINT64_FORMAT " objects, %s, %s/s: %.30s… ", objects, size, rate, key);
}

void
sv_clear_progress (const SvContext *context)
{
  if (context->is_terminal)
    fputs ("\r\033[K", stderr);
}

/* ── pieces ── */

static void
print_below (const char *text)
{
  g_autofree char *shown = sv_printable (text);
  printf ("%*s", INDENT, "");
  sv_print_wrapped (shown, INDENT, INDENT);
}

static void
print_heading (const SvContext *context, const char *label, SvStyle style, const char *key)
{
  g_autofree char *styled = sv_styled (label, style, context->use_color);
  g_autofree char *shown = sv_printable (key);
  printf ("%s %s\n", styled, shown);
}

static const char *
plural (guint64 n)
{
  return n == 1 ? "" : "s";
}

/* ── check ── */

static void
print_fault (const SvContext *context, const SvStoreFault *fault)
{
  if (fault->repaired_from != NULL)
  {
    g_autofree char *how = g_strdup_printf ("repaired from %s", fault->repaired_from);
    print_heading (context, "repaired:", SV_STYLE_GREEN, fault->key);
    print_below (fault->what);
    print_below (how);
    return;
  }
  print_heading (context, "fault:", SV_STYLE_RED, fault->key);
  print_below (fault->what);
  print_below (fault->advice);
}

static void
print_kinds (const SvContext *context, const SvStoreReport *report)
{
  static const char *const headers[] = { "KIND", "OBJECTS", "SIZE", "FAULTS", "REPAIRED", NULL };
  static const SvColumn columns[] = { SV_COLUMN_LEFT, SV_COLUMN_RIGHT, SV_COLUMN_RIGHT, SV_COLUMN_RIGHT, SV_COLUMN_RIGHT };
  g_autoptr (SvTable) table = sv_table_new (headers, columns);
  for (int kind = 0; kind < SV_STORE_N_KINDS; kind++)
  {
    const SvStoreTally *tally = &report->tallies[kind];
    if (tally->objects + tally->faults + tally->repaired == 0)
      continue;
    g_autofree char *size = sv_bytes_shown (tally->bytes);
    sv_table_add (table, sv_store_kind_name ((SvStoreKind)kind));
    sv_table_printf (table, "%" G_GUINT64_FORMAT, tally->objects);
    sv_table_add (table, size);
    sv_table_printf (table, "%" G_GUINT64_FORMAT, tally->faults);
    sv_table_printf (table, "%" G_GUINT64_FORMAT, tally->repaired);
    if (tally->faults > 0)
      sv_table_style_row (table, tally->faults > tally->repaired ? SV_STYLE_RED : SV_STYLE_GREEN);
  }
  sv_table_print (table, context->use_color);
}

static void
print_verdict (const SvContext *context, const SvObjectStore *store, const SvStoreReport *report)
{
  guint n_unreachable;
  guint left = sv_store_report_left (report, &n_unreachable);
  g_autofree char *index =
      report->sequence > 0 ? g_strdup_printf (", index of sequence %" G_GUINT64_FORMAT, report->sequence) : g_strdup ("");
  g_autofree char *label = left == 0 ? sv_styled ("sound:", SV_STYLE_GREEN, context->use_color)
                                     : g_strdup_printf ("%u fault%s left:", left, plural (left));
  printf ("%s %s%s\n", label, sv_object_store_url (store), index);
}

static json_t *
fault_to_json (const SvStoreFault *fault)
{
  json_t *json = json_object ();
  json_object_set_new (json, "kind", json_string (sv_store_kind_name (fault->kind)));
  json_object_set_new (json, "key", json_string (fault->key));
  json_object_set_new (json, "what", json_string (fault->what));
  json_object_set_new (json, "advice", sv_json_string_or_null (fault->repaired_from == NULL ? fault->advice : NULL));
  json_object_set_new (json, "repaired_from", sv_json_string_or_null (fault->repaired_from));
  return json;
}

static json_t *
kinds_to_json (const SvStoreReport *report)
{
  json_t *kinds = json_array ();
  for (int kind = 0; kind < SV_STORE_N_KINDS; kind++)
  {
    const SvStoreTally *tally = &report->tallies[kind];
    json_t *json = json_object ();
    json_object_set_new (json, "kind", json_string (sv_store_kind_name ((SvStoreKind)kind)));
    json_object_set_new (json, "objects", sv_json_integer (tally->objects));
    json_object_set_new (json, "bytes", sv_json_integer (tally->bytes));
    json_object_set_new (json, "faults", sv_json_integer (tally->faults));
    json_object_set_new (json, "repaired", sv_json_integer (tally->repaired));
    json_array_append_new (kinds, json);
  }
  return kinds;
}

static void
print_store_json (const SvObjectStore *store, const SvStoreReport *report)
{
  guint n_unreachable;
  json_t *document = json_object ();
  json_t *faults = json_array ();
  json_t *notes = json_array ();
  for (guint i = 0; i < report->faults->len; i++)
    json_array_append_new (faults, fault_to_json (report->faults->pdata[i]));
  for (guint i = 0; i < report->notes->len; i++)
    json_array_append_new (notes, json_string (report->notes->pdata[i]));
  json_object_set_new (document, "store", json_string (sv_object_store_url (store)));
  json_object_set_new (document, "is_sound", json_boolean (sv_store_report_left (report, &n_unreachable) == 0));
  json_object_set_new (document, "index_sequence", report->sequence > 0 ? sv_json_integer (report->sequence) : json_null ());
  json_object_set_new (document, "kinds", kinds_to_json (report));
  json_object_set_new (document, "orphans", sv_json_integer (report->orphans));
  json_object_set_new (document, "faults", faults);
  json_object_set_new (document, "notes", notes);
  sv_print_json (document);
}

void
sv_print_store_report (const SvContext *context, const SvObjectStore *store, const SvStoreReport *report)
{
  if (context->as_json)
  {
    print_store_json (store, report);
    return;
  }
  for (guint i = 0; i < report->faults->len; i++)
    print_fault (context, report->faults->pdata[i]);
  if (report->faults->len > 0)
    putchar ('\n');
  print_kinds (context, report);
  putchar ('\n');
  for (guint i = 0; i < report->notes->len; i++)
  {
    g_autofree char *shown = sv_printable (report->notes->pdata[i]);
    fputs ("note: ", stdout);
    sv_print_wrapped (shown, (guint)strlen ("note: "), INDENT);
  }
  print_verdict (context, store, report);
}

/* ── mirror ── */

static const char *
index_name (SvMirroredIndex index)
{
  static const char *const names[] = {
    [SV_MIRRORED_NO_INDEX] = "none",
    [SV_MIRRORED_WRITTEN] = "written",
    [SV_MIRRORED_SAME] = "same",
    [SV_MIRRORED_HELD_BACK] = "held back",
  };
  return names[index];
}

static void
print_mirror_json (const SvObjectStore *from, const SvObjectStore *to, const SvMirrorReport *report)
{
  json_t *document = json_object ();
  json_t *faults = json_array ();
  for (guint i = 0; i < report->faults->len; i++)
  {
    const SvMirrorFault *fault = report->faults->pdata[i];
    json_array_append_new (faults, json_pack ("{s:s,s:s}", "key", fault->key, "what", fault->what));
  }
  json_object_set_new (document, "from", json_string (sv_object_store_url (from)));
  json_object_set_new (document, "to", json_string (sv_object_store_url (to)));
  json_object_set_new (document, "index", json_string (index_name (report->index)));
  json_object_set_new (document, "index_sequence", report->sequence > 0 ? sv_json_integer (report->sequence) : json_null ());
  json_object_set_new (document, "copied", sv_json_integer (report->copied));
  json_object_set_new (document, "copied_bytes", sv_json_integer (report->copied_bytes));
  json_object_set_new (document, "present", sv_json_integer (report->present));
  json_object_set_new (document, "clips_left_out", sv_json_integer (report->n_private));
  json_object_set_new (document, "others_left_out", sv_json_integer (report->n_others));
  json_object_set_new (document, "was_listed", json_boolean (report->is_listed));
  json_object_set_new (document, "faults", faults);
  sv_print_json (document);
}

static void
print_mirror_notes (const SvMirrorReport *report)
{
  if (!report->is_listed)
    puts ("A public address cannot be listed: manifests, archives, statements and the index\n"
          "were copied, clips, shards and issue logs were not.");
  if (report->n_private > 0)
    printf ("%" G_GUINT64_FORMAT " clip%s left out; --private copies them, into a store that is not public.\n",
            report->n_private, plural (report->n_private));
  if (report->n_others > 0)
    printf ("%" G_GUINT64_FORMAT " object%s left out: the name%s nobody's.\n", report->n_others, plural (report->n_others),
            report->n_others == 1 ? " is" : "s are");
}

static void
print_mirrored_index (const SvMirrorReport *report)
{
  switch (report->index)
  {
  case SV_MIRRORED_NO_INDEX:
    puts ("index: the source has none");
    break;
  case SV_MIRRORED_WRITTEN:
    printf ("index: sequence %" G_GUINT64_FORMAT " written\n", report->sequence);
    break;
  case SV_MIRRORED_SAME:
    printf ("index: sequence %" G_GUINT64_FORMAT ", as it was there already\n", report->sequence);
    break;
  case SV_MIRRORED_HELD_BACK:
    sv_say (stdout, "index: sequence %" G_GUINT64_FORMAT " not written, because something that it names is missing;\n%s\n",
            report->sequence,
            report->faults->len > sv_mirror_report_n_unreachable (report)
                ? "repair the source with `sv store check --repair` and copy again"
                : "copy again when it can be read");
    break;
  }
}

void
sv_print_mirror_report (const SvContext *context, const SvObjectStore *from, const SvObjectStore *to,
                        const SvMirrorReport *report)
{
  if (context->as_json)
  {
    print_mirror_json (from, to, report);
    return;
  }
  for (guint i = 0; i < report->faults->len; i++)
  {
    const SvMirrorFault *fault = report->faults->pdata[i];
    print_heading (context, "not copied:", SV_STYLE_RED, fault->key);
    print_below (fault->what);
  }
  g_autofree char *size = sv_bytes_shown (report->copied_bytes);
  printf ("%s\n→ %s\n", sv_object_store_url (from), sv_object_store_url (to));
  printf ("%" G_GUINT64_FORMAT " object%s copied (%s), %" G_GUINT64_FORMAT " there already\n", report->copied,
          plural (report->copied), size, report->present);
  print_mirrored_index (report);
  print_mirror_notes (report);
}
