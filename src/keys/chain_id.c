/* Which chain and subnet a document is for: {"genesis": "0x…", "netuid": 44} and nothing else, so that a document signed for
 * one chain counts nowhere else. */
#include <math.h>
#include <string.h>

#include "base/hash.h"
#include "keys/signed_document.h"

#define GENESIS_SIZE 32

gboolean
sv_chain_id_equal (const SvChainId *a, const SvChainId *b)
{
  return a->netuid == b->netuid && strcmp (a->genesis, b->genesis) == 0;
}

json_t *
sv_chain_id_to_json (const SvChainId *chain)
{
  json_t *json = json_object ();
  json_object_set_new (json, "genesis", json_string (chain->genesis));
  json_object_set_new (json, "netuid", sv_json_integer (chain->netuid));
  return json;
}

static gboolean
genesis_from_json (const json_t *json, char genesis[67])
{
  guint8 bytes[GENESIS_SIZE];
  const char *text = json_string_value (json);
  if (text == NULL || json_string_length (json) != 66 || !g_str_has_prefix (text, "0x") ||
      !sv_hex_decode (text + 2, FALSE, bytes, sizeof bytes))
    return FALSE;
  memcpy (genesis, text, 67);
  return TRUE;
}

gboolean
sv_chain_id_from_json (const json_t *json, SvChainId *chain)
{
  const json_t *netuid = json_object_get (json, "netuid");
  if (json_object_size (json) != 2 || !json_is_number (netuid))
    return FALSE;
  double number = json_number_value (netuid);
  if (!(number >= 0 && number <= G_MAXUINT16) || number != floor (number))
    return FALSE;
  chain->netuid = (guint)number;
  return genesis_from_json (json_object_get (json, "genesis"), chain->genesis);
}
