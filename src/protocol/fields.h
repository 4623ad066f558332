/* Fields whose form is the same in several documents: challenges, shards, issue logs, receipts (docs/protocol.md section 1).
 * Each reader tells a fault in the scope and goes on. Pure. */
#pragma once

#include "base/schema.h"

/* The form of a text, and what it is called where a text does not have it. */
typedef struct
{
  gboolean (*is_valid) (const char *text);
  const char *name; /* "a window id" */
} SvForm;

extern const SvForm sv_form_window_id;
extern const SvForm sv_form_element_id;
extern const SvForm sv_form_hf_revision;
extern const SvForm sv_form_chute_slug;
extern const SvForm sv_form_chute_id;
extern const SvForm sv_form_hash;
extern const SvForm sv_form_proof;
/* A challenge's id: an integer from 0 to 2^53 - 1 as a decimal string. */
extern const SvForm sv_form_challenge_id;
/* 1 to 128 bytes without control characters: what people call a sport, a scenario, a type of challenges, a salt, a task. */
extern const SvForm sv_form_label;

/* The string in @key, which must have the form. Returns: (transfer full) or NULL. */
char *sv_field_text (const SvScope *scope, const char *key, SvPresence presence, const SvForm *form);

/* The required account in @key, as a bare address. Returns: (transfer full) or NULL. */
char *sv_field_account (const SvScope *scope, const char *key);
