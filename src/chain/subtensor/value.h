/* Values of a runtime's types: passed over, or decoded to JSON, as the metadata says. Bounded in depth and number, because the
 * types come from outside as well as the bytes (a vector of empty values may claim to be endless). */
#pragma once

#include <jansson.h>

#include "chain/subtensor/metadata.h"
#include "chain/subtensor/scale.h"

#define SV_VALUE_MAX_DEPTH 128
#define SV_VALUE_MAX_VALUES (4 * 1024 * 1024) /* of one call, where an object or array counts as eight; fewer of few bytes */

/* Passes over one value of type @type; what is wrong becomes the reader's fault. */
void sv_value_skip (const SvMetadata *metadata, guint32 type, SvScaleReader *reader);

/* TRUE when every value of the type is encoded in no bytes at all. */
gboolean sv_value_is_empty (const SvMetadata *metadata, guint32 type);

/* Decodes one value: structures as objects (arrays where the fields have no names; one unnamed field stands for itself;
 * null without any), variants as {"Name": content} or {"Name": null}, sequences, arrays and tuples as arrays, but those of u8
 * as "0x…", integers as numbers up to 2^53-1 and beyond that as decimal strings, compact values like plain ones, bit sequences
 * as strings of 0 and 1. NULL with the reader's fault set. Returns: (transfer full). */
json_t *sv_value_decode (const SvMetadata *metadata, guint32 type, SvScaleReader *reader);
