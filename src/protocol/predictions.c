/* Predictions are checked whole before anything is scored, but only the first fault is told: a chute's owner mends one thing at
 * a time, and an answer may have a million boxes. */
#include "protocol/predictions.h"

#include "base/schema.h"

static void
check_box (const json_t *json, const char *pointer, SvFaults *faults)
{
  static const char *const numbers[] = { "x1", "y1", "x2", "y2", "cls_id", "conf" };
  g_auto (SvScope) scope = { 0 };
  if (!sv_scope_init (&scope, json, pointer, faults))
    return;
  for (gsize i = 0; i < G_N_ELEMENTS (numbers); i++)
  {
    double value;
    sv_scope_number (&scope, numbers[i], SV_REQUIRED, -1e9, 1e9, &value);
  }
}

static void
check_frame (const json_t *json, const char *pointer, guint64 max_frames, GHashTable *seen, SvFaults *faults)
{
  g_auto (SvScope) scope = { 0 };
  guint64 id = 0;
  if (!sv_scope_init (&scope, json, pointer, faults) || !sv_scope_integer (&scope, "frame_id", SV_REQUIRED, &id))
    return;
  if (id >= max_frames)
    sv_scope_fault (&scope, "frame_id", "the clip has %" G_GUINT64_FORMAT " frames, so there is no frame %" G_GUINT64_FORMAT,
                    max_frames, id);
  else if (!g_hash_table_add (seen, g_memdup2 (&id, sizeof id)))
    sv_scope_fault (&scope, "frame_id", "frame %" G_GUINT64_FORMAT " is there twice", id);
  const json_t *boxes = sv_scope_array (&scope, "boxes", SV_REQUIRED, 0, SV_PREDICTIONS_MAX_BOXES);
  g_autofree char *list = sv_pointer_key (pointer, "boxes");
  gsize i;
  json_t *box;
  json_array_foreach ((json_t *)boxes, i, box)
  {
    g_autofree char *place = faults->n_errors == 0 ? sv_pointer_index (list, i) : NULL;
    if (place != NULL)
      check_box (box, place, faults);
  }
}

gboolean
sv_predictions_check (const json_t *predictions, guint64 max_frames, GError **error)
{
  g_autoptr (SvFaults) faults = sv_faults_new ();
  g_autoptr (GHashTable) seen = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, NULL);
  g_auto (SvScope) scope = { 0 };
  const json_t *frames = sv_scope_init (&scope, predictions, "/predictions", faults)
                             ? sv_scope_array (&scope, "frames", SV_REQUIRED, 0, (gsize)max_frames)
                             : NULL;
  gsize i;
  json_t *frame;
  json_array_foreach ((json_t *)frames, i, frame)
  {
    g_autofree char *pointer = faults->n_errors == 0 ? sv_pointer_index ("/predictions/frames", i) : NULL;
    if (pointer != NULL)
      check_frame (frame, pointer, max_frames, seen, faults);
  }
  return sv_faults_check (faults, "the chute's answer", error);
}
