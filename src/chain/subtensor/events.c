/* System.Events is a list of records {phase, event, topics}. Two events of pallet System tell how an extrinsic ended, and each
 * extrinsic has exactly one of them; every other event is passed over. */
#include "chain/subtensor/events.h"

#include <string.h>

#include "base/error.h"
#include "base/hash.h"
#include "base/json.h"
#include "chain/subtensor/newtype.h"
#include "chain/subtensor/value.h"

#define SYSTEM "System"

/* What the metadata says of the events, found once for all records. */
typedef struct
{
  const SvMetadata *metadata;
  const SvType *record;
  const SvField *phase; /* of the record */
  const SvField *event;
  const SvType *phases;
  const SvVariant *apply;  /* ApplyExtrinsic, of the phases */
  const SvVariant *system; /* of the events */
  const SvVariant *success;
  const SvVariant *failure;
} Form;

typedef struct
{
  gboolean of_extrinsic;
  guint64 index;
} Phase;

void
sv_block_outcomes_clear (SvBlockOutcomes *outcomes)
{
  for (guint i = 0; i < outcomes->n; i++)
    g_free (outcomes->failures[i]);
  g_clear_pointer (&outcomes->failures, g_free);
  g_clear_pointer (&outcomes->outcomes, g_free);
  outcomes->n = 0;
}

/* ── the form ── */

static const SvField *
find_field (const SvType *type, const char *name)
{
  for (guint i = 0; i < type->n_fields; i++)
    if (g_strcmp0 (type->fields[i].name, name) == 0)
      return &type->fields[i];
  return NULL;
}

/* (transfer none) NULL for what is no variant type. */
static const SvType *
variant_type (const SvMetadata *metadata, guint32 id)
{
  const SvType *type = sv_newtype_under (metadata, id);
  return type != NULL && type->kind == SV_TYPE_VARIANT ? type : NULL;
}

static gboolean
find_record (const SvMetadata *metadata, guint32 list_type, Form *form)
{
  const SvType *list = sv_newtype_under (metadata, list_type);
  form->record = list != NULL && list->kind == SV_TYPE_SEQUENCE ? sv_metadata_type (metadata, list->item) : NULL;
  if (form->record == NULL || form->record->kind != SV_TYPE_COMPOSITE)
    return FALSE;
  form->phase = find_field (form->record, "phase");
  form->event = find_field (form->record, "event");
  form->phases = form->phase != NULL ? variant_type (metadata, form->phase->type) : NULL;
  form->apply = form->phases != NULL ? sv_type_variant (form->phases, "ApplyExtrinsic") : NULL;
  return form->event != NULL && form->apply != NULL && form->apply->n_fields == 1;
}

static gboolean
find_system_events (const SvMetadata *metadata, Form *form)
{
  const SvType *events = variant_type (metadata, form->event->type);
  form->system = events != NULL ? sv_type_variant (events, SYSTEM) : NULL;
  if (form->system == NULL || form->system->n_fields != 1)
    return FALSE;
  const SvType *system = variant_type (metadata, form->system->fields[0].type);
  form->success = system != NULL ? sv_type_variant (system, "ExtrinsicSuccess") : NULL;
  form->failure = system != NULL ? sv_type_variant (system, "ExtrinsicFailed") : NULL;
  return form->success != NULL && form->failure != NULL;
}

static gboolean
find_form (const SvMetadata *metadata, Form *form, GError **error)
{
  const SvStorageEntry *entry = sv_metadata_storage (metadata, SYSTEM, "Events", error);
  form->metadata = metadata;
  if (entry == NULL)
    return FALSE;
  if (find_record (metadata, entry->value_type, form) && find_system_events (metadata, form))
    return TRUE;
  g_set_error (error, SV_ERROR, SV_ERROR_UNREACHABLE,
               "this chain's System.Events has a form that is not known here; a newer version of sv is needed");
  return FALSE;
}

/* ── records ── */

static Phase
read_phase (const Form *form, SvScaleReader *reader)
{
  Phase phase = { FALSE, 0 };
  const SvVariant *variant = sv_type_variant_at (form->phases, sv_scale_u8 (reader));
  if (variant == NULL)
    sv_scale_fail (reader, "an event has a phase that the runtime does not know");
  else if (variant == form->apply)
  {
    phase.of_extrinsic = TRUE;
    phase.index = sv_newtype_read_integer (form->metadata, variant->fields[0].type, reader);
  }
  for (guint i = 0; variant != NULL && !phase.of_extrinsic && i < variant->n_fields; i++)
    sv_value_skip (form->metadata, variant->fields[i].type, reader);
  return phase;
}

static char *
read_failure (const Form *form, SvScaleReader *reader)
{
  char *failure = NULL;
  for (guint i = 0; i < form->failure->n_fields; i++)
  {
    const SvField *field = &form->failure->fields[i];
    if (failure != NULL || g_strcmp0 (field->name, "dispatch_error") != 0)
    {
      sv_value_skip (form->metadata, field->type, reader);
      continue;
    }
    g_autoptr (json_t) dispatch_error = sv_value_decode (form->metadata, field->type, reader);
    failure = dispatch_error != NULL ? sv_dispatch_error_text (form->metadata, dispatch_error) : NULL;
  }
  return failure != NULL ? failure : g_strdup ("for a reason that the chain does not tell");
}

static void
note_outcome (const Form *form, Phase phase, gboolean succeeded, SvScaleReader *reader, SvBlockOutcomes *outcomes)
{
  if (!phase.of_extrinsic || phase.index >= outcomes->n)
    sv_scale_fail (reader, "an outcome belongs to no extrinsic of the block");
  else if (outcomes->outcomes[phase.index] != SV_OUTCOME_UNKNOWN)
    sv_scale_fail (reader, "an extrinsic has two outcomes");
  if (reader->fault != NULL)
    return;
  outcomes->outcomes[phase.index] = succeeded ? SV_OUTCOME_SUCCESS : SV_OUTCOME_FAILURE;
  if (!succeeded)
    outcomes->failures[phase.index] = read_failure (form, reader);
  for (guint i = 0; succeeded && i < form->success->n_fields; i++)
    sv_value_skip (form->metadata, form->success->fields[i].type, reader);
}

static void
read_event (const Form *form, Phase phase, SvScaleReader *reader, SvBlockOutcomes *outcomes)
{
  SvScaleReader ahead = *reader;
  guint8 pallet = sv_scale_u8 (&ahead), event = sv_scale_u8 (&ahead);
  gboolean of_system = ahead.fault == NULL && pallet == form->system->index;
  if (of_system && (event == form->success->index || event == form->failure->index))
  {
    *reader = ahead;
    note_outcome (form, phase, event == form->success->index, reader, outcomes);
  }
  else
    sv_value_skip (form->metadata, form->event->type, reader);
}

static void
read_record (const Form *form, SvScaleReader *reader, SvBlockOutcomes *outcomes)
{
  Phase phase = { FALSE, 0 };
  for (guint i = 0; i < form->record->n_fields; i++)
  {
    const SvField *field = &form->record->fields[i];
    if (field == form->phase)
      phase = read_phase (form, reader);
    else if (field == form->event)
      read_event (form, phase, reader, outcomes);
    else
      sv_value_skip (form->metadata, field->type, reader);
  }
}

gboolean
sv_events_read_outcomes (const SvMetadata *metadata, const void *data, gsize length, guint n_extrinsics,
                         SvBlockOutcomes *outcomes, GError **error)
{
  Form form = { 0 };
  SvScaleReader reader = sv_scale_reader (data, length);
  memset (outcomes, 0, sizeof *outcomes);
  if (!find_form (metadata, &form, error))
    return FALSE;
  outcomes->n = n_extrinsics;
  outcomes->outcomes = g_new0 (SvDispatchOutcome, n_extrinsics);
  outcomes->failures = g_new0 (char *, n_extrinsics);
  gsize n = sv_scale_length (&reader, 1);
  for (gsize i = 0; i < n && reader.fault == NULL; i++)
    read_record (&form, &reader, outcomes);
  if (sv_scale_finish (&reader, "System.Events", error))
    return TRUE;
  sv_block_outcomes_clear (outcomes);
  return FALSE;
}
