/* GET /api/commitments?hotkey&window_id. Anybody may ask, without a key, and an answer may be a megabyte that takes a long time
 * to write: so a thread of its own, which gives way to all others, writes them, each text but those of single hotkeys once per
 * picture, and connections send the same bytes. */
#include "api/commitments_view.h"

#include <string.h>

#include "api/asker.h"
#include "api/commitment_list.h"
#include "base/identifiers.h"
#include "base/thread_priority.h"

#define CACHE_CONTROL "public, max-age=5"
#define MAX_WAITING 256

/* One request that waits for its text. */
typedef struct Order
{
  struct Order *next;
  SvExchange *exchange;
  SvSnapshot *snapshot;
  const char *hotkey;    /* borrowed from the exchange */
  const char *window_id; /* likewise */
  GBytes *text;          /* NULL: the window is not open */
} Order;

struct SvCommitmentDesk
{
  GThread *thread;
  GMutex lock;
  GCond wake;
  Order *first;
  Order **end;
  guint n_waiting;
  gboolean is_closing;
  SvCommitmentList *list; /* replaced under the lock, by the thread */
  GHashTable *texts;      /* window id, or "" for all -> GBytes: those of all hotkeys, by @list; under the lock */
};

static void
free_order (gpointer data)
{
  Order *order = data;
  g_clear_pointer (&order->snapshot, sv_snapshot_unref);
  g_clear_pointer (&order->text, g_bytes_unref);
  g_free (order);
}

/* ── the thread ── */

static Order *
take_order (SvCommitmentDesk *desk)
{
  g_mutex_lock (&desk->lock);
  while (desk->first == NULL && !desk->is_closing)
    g_cond_wait (&desk->wake, &desk->lock);
  Order *order = desk->first;
  if (order != NULL)
  {
    desk->first = order->next;
    desk->n_waiting--;
  }
  if (desk->first == NULL)
    desk->end = &desk->first;
  g_mutex_unlock (&desk->lock);
  return order;
}

/* The list of the order's picture in place of the last one. */
static void
turn_to (SvCommitmentDesk *desk, Order *order)
{
  if (desk->list != NULL && sv_commitment_list_is_of (desk->list, order->snapshot))
    return;
  SvCommitmentList *last = desk->list, *next = sv_commitment_list_new (g_steal_pointer (&order->snapshot));
  g_mutex_lock (&desk->lock);
  desk->list = next;
  g_hash_table_remove_all (desk->texts);
  g_mutex_unlock (&desk->lock);
  sv_commitment_list_free (last);
}

/* (transfer full) Of @desk->texts, under the lock. */
static GBytes *
find_text (SvCommitmentDesk *desk, const char *window_id)
{
  GBytes *text = g_hash_table_lookup (desk->texts, window_id != NULL ? window_id : "");
  return text != NULL ? g_bytes_ref (text) : NULL;
}

static void
fulfil (SvCommitmentDesk *desk, Order *order)
{
  turn_to (desk, order);
  if (order->hotkey == NULL)
    order->text = find_text (desk, order->window_id); /* nobody else changes them */
  if (order->text != NULL)
    return;
  order->text = sv_commitment_list_write (desk->list, order->hotkey, order->window_id);
  if (order->text == NULL || order->hotkey != NULL)
    return;
  g_mutex_lock (&desk->lock);
  g_hash_table_insert (desk->texts, g_strdup (order->window_id != NULL ? order->window_id : ""), g_bytes_ref (order->text));
  g_mutex_unlock (&desk->lock);
}

static gpointer
run (gpointer data)
{
  SvCommitmentDesk *desk = data;
  sv_thread_give_way ("lists of commitments", SV_SHARE_TENTH);
  for (Order *order = take_order (desk); order != NULL; order = take_order (desk))
  {
    fulfil (desk, order);
    sv_exchange_resume (order->exchange);
  }
  return NULL;
}

SvCommitmentDesk *
sv_commitment_desk_new (void)
{
  SvCommitmentDesk *desk = g_new0 (SvCommitmentDesk, 1);
  g_mutex_init (&desk->lock);
  g_cond_init (&desk->wake);
  desk->end = &desk->first;
  desk->texts = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify)g_bytes_unref);
  desk->thread = g_thread_new ("commitments", run, desk);
  return desk;
}

void
sv_commitment_desk_free (SvCommitmentDesk *desk)
{
  if (desk == NULL)
    return;
  g_mutex_lock (&desk->lock);
  desk->is_closing = TRUE;
  g_cond_signal (&desk->wake);
  g_mutex_unlock (&desk->lock);
  g_thread_join (desk->thread);
  sv_commitment_list_free (desk->list);
  g_hash_table_unref (desk->texts);
  g_cond_clear (&desk->wake);
  g_mutex_clear (&desk->lock);
  g_free (desk);
}

/* ── the handler ── */

static SvReply *
check_parameters (const SvExchange *exchange, const char *hotkey, const char *window_id)
{
  static const char *const names[] = { "hotkey", "window_id", NULL };
  guint8 key[SV_PUBLIC_KEY_SIZE];
  const char *field = sv_parameters_repeated (exchange->target->parameters, names);
  g_autofree char *repeated = field != NULL ? g_strdup_printf ("%s is given more than once", field) : NULL;
  if (repeated != NULL)
    return sv_reply_invalid (field, repeated);
  if (hotkey != NULL && !sv_ss58_decode (hotkey, key))
    return sv_reply_invalid ("hotkey", "hotkey is malformed; it must be an SS58 address");
  if (window_id != NULL && !sv_window_id_is_valid (window_id))
    return sv_reply_invalid ("window_id", "window_id is malformed; it must be a window id");
  return NULL;
}

/* (transfer full) The text where it has been written already, else NULL. */
static GBytes *
find_written (SvCommitmentDesk *desk, const SvSnapshot *snapshot, const char *window_id)
{
  g_mutex_lock (&desk->lock);
  gboolean is_present = desk->list != NULL && sv_commitment_list_is_of (desk->list, snapshot);
  GBytes *text = is_present ? find_text (desk, window_id) : NULL;
  g_mutex_unlock (&desk->lock);
  return text;
}

/* Hands the request to the thread. FALSE: too many wait. */
static gboolean
place_order (SvExchange *exchange, Order *order)
{
  SvCommitmentDesk *desk = exchange->service->commitments;
  g_mutex_lock (&desk->lock);
  gboolean has_room = desk->n_waiting < MAX_WAITING;
  if (has_room)
  {
    sv_exchange_suspend (exchange);
    *desk->end = order;
    desk->end = &order->next;
    desk->n_waiting++;
    g_cond_signal (&desk->wake);
  }
  g_mutex_unlock (&desk->lock);
  return has_room;
}

static SvReply *
reply_with (GBytes *text, const char *window_id)
{
  if (text == NULL)
    return sv_reply_error (404, "no_active_window", "Window %s is not open: it is unknown, or over", window_id);
  SvReply *reply = sv_reply_share_json (200, "listed", text);
  sv_reply_set_static (reply, "Cache-Control", CACHE_CONTROL);
  return reply;
}

static SvReply *
begin (SvExchange *exchange)
{
  const char *hotkey = sv_pairs_find (exchange->target->parameters, "hotkey", FALSE);
  const char *window_id = sv_pairs_find (exchange->target->parameters, "window_id", FALSE);
  SvReply *reply = check_parameters (exchange, hotkey, window_id);
  if (reply != NULL)
    return reply;
  g_autoptr (SvSnapshot) snapshot = sv_board_get (exchange->service->board);
  if (snapshot->bindings == NULL || snapshot->catalog == NULL)
    return sv_reply_chain_unavailable ("it has not been read yet");
  g_autoptr (GBytes) text = hotkey == NULL ? find_written (exchange->service->commitments, snapshot, window_id) : NULL;
  if (text != NULL)
    return reply_with (text, window_id);
  Order *order = g_new0 (Order, 1);
  order->exchange = exchange;
  order->snapshot = g_steal_pointer (&snapshot);
  order->hotkey = hotkey;
  order->window_id = window_id;
  exchange->work = order;
  exchange->free_work = free_order;
  return place_order (exchange, order) ? NULL : sv_reply_overloaded ("Too many ask for commitments just now");
}

SvReply *
sv_handle_commitments (SvExchange *exchange)
{
  const Order *order = exchange->work;
  return order == NULL ? begin (exchange) : reply_with (order->text, order->window_id);
}
