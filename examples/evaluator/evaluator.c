/* An example evaluator: scores predictions against a ground truth that is known because the clip was rendered. A runner starts
 * it per challenge (SCOREVISION_EVALUATOR), with {"challenge": …, "element": …, "predictions": …} on standard input, and reads
 * {"metrics": {pillar: 0…1}} from its standard output.
 *
 *   usage: evaluator TRUTH-FOLDER      with TRUTH-FOLDER/{clip hash in hex}.json = {"frames":[{"frame_id":0,"boxes":[…]}]}
 *
 * Pillars: `iou`, the mean over all true boxes of the best overlap with a predicted box of the same class; `count`,
 * the mean over frames of 1 - |predicted - true| / max(predicted, true). Elements whose pillars have other names get an error.
 */
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/hash.h"
#include "base/json.h"

#define MAX_DOCUMENT (32 * 1024 * 1024)

typedef struct
{
  double overlap_sum, count_sum;
  guint n_boxes, n_frames;
} Score;

static json_t *
read_input (GError **error)
{
  g_autoptr (GByteArray) input = g_byte_array_new ();
  guint8 piece[65536];
  for (gsize n; (n = fread (piece, 1, sizeof piece, stdin)) > 0 && input->len <= MAX_DOCUMENT;)
    g_byte_array_append (input, piece, (guint)n);
  return sv_json_parse ("standard input", input->data, input->len, MAX_DOCUMENT, error);
}

static json_t *
read_truth (const char *folder, const char *clip_hash, GError **error)
{
  g_autofree char *name = g_strdup_printf ("%s.json", sv_hash_hex (clip_hash));
  g_autofree char *path = g_build_filename (folder, name, NULL);
  g_autoptr (GBytes) bytes = sv_file_read (path, MAX_DOCUMENT, error);
  return bytes != NULL ? sv_json_parse (path, g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes), MAX_DOCUMENT, error)
                       : NULL;
}

static double
field (const json_t *box, const char *name)
{
  return json_number_value (json_object_get (box, name));
}

static double
overlap (const json_t *a, const json_t *b)
{
  double w = MIN (field (a, "x2"), field (b, "x2")) - MAX (field (a, "x1"), field (b, "x1"));
  double h = MIN (field (a, "y2"), field (b, "y2")) - MAX (field (a, "y1"), field (b, "y1"));
  double both = w > 0 && h > 0 ? w * h : 0;
  double either = (field (a, "x2") - field (a, "x1")) * (field (a, "y2") - field (a, "y1")) +
                  (field (b, "x2") - field (b, "x1")) * (field (b, "y2") - field (b, "y1")) - both;
  return either > 0 ? both / either : 0;
}

static double
best_overlap (const json_t *truth, const json_t *boxes)
{
  double best = 0;
  gsize i;
  json_t *box;
  json_array_foreach (boxes, i, box) if (field (box, "cls_id") == field (truth, "cls_id")) best =
      MAX (best, overlap (truth, box));
  return best;
}

static const json_t *
boxes_of_frame (const json_t *frames, double frame_id)
{
  gsize i;
  json_t *frame;
  json_array_foreach (frames, i, frame) if (field (frame, "frame_id") == frame_id) return json_object_get (frame, "boxes");
  return NULL;
}

static void
score_frame (const json_t *true_boxes, const json_t *boxes, Score *score)
{
  double n_true = (double)json_array_size (true_boxes), n = (double)json_array_size (boxes);
  double larger = MAX (n_true, n);
  score->count_sum += larger > 0 ? MIN (n_true, n) / larger : 1;
  score->n_frames++;
  gsize i;
  json_t *truth;
  json_array_foreach (true_boxes, i, truth)
  {
    score->overlap_sum += best_overlap (truth, boxes);
    score->n_boxes++;
  }
}

static json_t *
evaluate (const json_t *truth, const json_t *predictions)
{
  Score score = { 0 };
  gsize i;
  json_t *frame;
  json_array_foreach (json_object_get (truth, "frames"), i, frame)
      score_frame (json_object_get (frame, "boxes"),
                   boxes_of_frame (json_object_get (predictions, "frames"), field (frame, "frame_id")), &score);
  return json_pack ("{s:f,s:f}", "iou", score.n_boxes > 0 ? score.overlap_sum / score.n_boxes : 0.0, "count",
                    score.n_frames > 0 ? score.count_sum / score.n_frames : 0.0);
}

int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  if (argc != 2)
  {
    fprintf (stderr, "usage: evaluator TRUTH-FOLDER < input.json\n");
    return 2;
  }
  g_autoptr (json_t) input = read_input (&error);
  const char *clip = json_string_value (json_object_get (json_object_get (input, "challenge"), "clip_hash"));
  g_autoptr (json_t) truth = clip != NULL && sv_hash_is_valid (clip) ? read_truth (argv[1], clip, &error) : NULL;
  if (truth == NULL)
  {
    fprintf (stderr, "evaluator: %s\n", error != NULL ? error->message : "the input names no clip");
    return 1;
  }
  g_autoptr (json_t) metrics = evaluate (truth, json_object_get (input, "predictions"));
  g_autoptr (json_t) output = json_pack ("{s:O}", "metrics", metrics);
  g_autofree char *text = sv_json_canonical_string (output);
  puts (text);
  return 0;
}
