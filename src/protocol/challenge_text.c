/* The answer of the Challenge API as text, for the server, which writes one for each request. Fields stand in the canonical
 * order that sv_challenge_to_json() is brought to when it is written (tests/unit/protocol/test_challenge.c compares them);
 * nothing but the text is allocated. The id is given when the record is durable, so its place is kept open at the greatest
 * length. */
#include "protocol/challenge.h"

#include <string.h>

#include "base/json_text.h"

#define ID_DIGITS 20

#define put_text(json, key, value) (sv_json_text_literal (json, key), sv_json_text_string (json, value))
#define put_integer(json, key, value) (sv_json_text_literal (json, key), sv_json_text_integer (json, value))

static void
put_meta (SvJsonText *json, const SvChallenge *challenge)
{
  put_text (json, ",\"meta\":{\"challenge_type\":", challenge->challenge_type);
  put_integer (json, ",\"duration_ms\":", challenge->duration_ms);
  sv_json_text_literal (json, ",\"fps\":");
  sv_json_text_number (json, challenge->fps);
  put_integer (json, ",\"resolution\":{\"height\":", challenge->height);
  put_integer (json, ",\"width\":", challenge->width);
  put_text (json, "},\"scenario\":", challenge->scenario);
  put_text (json, ",\"sport\":", challenge->sport);
  sv_json_text_literal (json, "}");
}

void
sv_challenge_write (const SvChallenge *challenge, char *buffer, gsize size, SvChallengeText *text)
{
  SvJsonText json;
  char place[ID_DIGITS];
  memset (place, '0', sizeof place);
  sv_json_text_init (&json, buffer, size);
  put_integer (&json, "{\"block\":", challenge->block);
  sv_json_text_literal (&json, ",\"challenge_id\":\"");
  text->id_at = json.length;
  sv_json_text_raw (&json, place, sizeof place);
  put_text (&json, "\",\"chute_id\":", challenge->chute_id);
  put_text (&json, ",\"chute_slug\":", challenge->chute_slug);
  put_integer (&json, ",\"clip_bytes\":", challenge->clip_bytes);
  put_text (&json, ",\"clip_hash\":", challenge->clip_hash);
  put_text (&json, ",\"clip_url\":", challenge->clip_url);
  sv_json_text_literal (&json, ",\"commitment_finalized\":");
  if (challenge->commitment_finalized)
    sv_json_text_literal (&json, "true");
  else
    sv_json_text_literal (&json, "false");
  put_text (&json, ",\"draw_commit\":", challenge->draw_commit);
  put_text (&json, ",\"element_id\":", challenge->element_id);
  put_integer (&json, ",\"expiry_block\":", challenge->expiry_block);
  put_text (&json, ",\"hf_revision\":", challenge->hf_revision);
  put_text (&json, ",\"manifest_hash\":", challenge->manifest_hash);
  put_meta (&json, challenge);
  put_integer (&json, ",\"seed\":", challenge->seed);
  put_text (&json, ",\"window_id\":", challenge->window_id);
  sv_json_text_literal (&json, "}");
  text->text = json.text;
  text->length = json.length;
  text->is_owned = json.is_owned;
}

const char *
sv_challenge_text_finish (SvChallengeText *text, guint64 challenge_id, gsize *length)
{
  SvJsonText id;
  char digits[ID_DIGITS];
  sv_json_text_init (&id, digits, sizeof digits);
  sv_json_text_integer (&id, challenge_id);
  char *place = text->text + text->id_at;
  memcpy (place, digits, id.length);
  memmove (place + id.length, place + ID_DIGITS, text->length - text->id_at - ID_DIGITS);
  *length = text->length -= ID_DIGITS - id.length;
  return text->text;
}

void
sv_challenge_text_clear (SvChallengeText *text)
{
  if (text->is_owned)
    g_free (text->text);
  *text = (SvChallengeText){ 0 };
}
