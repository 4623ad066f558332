/* The clip is decoded once, at half its size and in grey, into one buffer; 10 seconds of 640×360 at 25 fps are 14 MB. The
 * background is the median of up to SAMPLES frames, so whatever stands still (grass, lines) vanishes and whatever moves is
 * left. Regions are found by flood fill with an explicit stack, as recursion would be as deep as a hostile clip wants. */
#include "detect.h"

#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libavutil/imgutils.h>
#include <libswscale/swscale.h>
#include <stdlib.h>
#include <string.h>

#define SCALE 2              /* detection runs at 1/SCALE of the clip's size */
#define SAMPLES 15           /* frames that make up the background */
#define THRESHOLD 28         /* of 255 grey levels */
#define MIN_AREA 3           /* pixels of the small picture */
#define BALL_MAX_AREA 24     /* a smaller bright region is a ball */
#define MAX_BOXES 200        /* per frame */
#define MAX_PIXELS 400000000 /* of all frames together */

typedef struct
{
  int width, height; /* of the small picture */
  guint n_frames;
  GByteArray *pixels; /* n_frames × width × height grey levels */
} Grey;

typedef struct
{
  AVFormatContext *format;
  AVCodecContext *codec;
  struct SwsContext *scaler;
  AVPacket *packet;
  AVFrame *frame;
  int stream;
} Decoder;

/* ── decoding ── */

static void
decoder_close (Decoder *decoder)
{
  sws_freeContext (decoder->scaler);
  av_frame_free (&decoder->frame);
  av_packet_free (&decoder->packet);
  avcodec_free_context (&decoder->codec);
  avformat_close_input (&decoder->format);
}

static const char *
decoder_open (Decoder *decoder, const char *path)
{
  AVDictionary *options = NULL;
  av_dict_set (&options, "format_whitelist", "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm", 0);
  av_dict_set (&options, "protocol_whitelist", "file", 0);
  int opened = avformat_open_input (&decoder->format, path, NULL, &options);
  av_dict_free (&options);
  if (opened < 0 || avformat_find_stream_info (decoder->format, NULL) < 0)
    return "the clip is not a readable mp4 or webm file";
  const AVCodec *codec = NULL;
  decoder->stream = av_find_best_stream (decoder->format, AVMEDIA_TYPE_VIDEO, -1, -1, &codec, 0);
  if (decoder->stream < 0 || codec == NULL)
    return "the clip has no video that this chute can decode";
  decoder->codec = avcodec_alloc_context3 (codec);
  avcodec_parameters_to_context (decoder->codec, decoder->format->streams[decoder->stream]->codecpar);
  decoder->codec->thread_count = 1;
  if (avcodec_open2 (decoder->codec, codec, NULL) < 0)
    return "the clip's video cannot be decoded";
  decoder->packet = av_packet_alloc ();
  decoder->frame = av_frame_alloc ();
  return NULL;
}

static const char *
keep_frame (Decoder *decoder, Grey *grey)
{
  const AVFrame *frame = decoder->frame;
  if (grey->n_frames == 0)
  {
    grey->width = MAX (frame->width / SCALE, 1);
    grey->height = MAX (frame->height / SCALE, 1);
  }
  gsize size = (gsize)grey->width * (gsize)grey->height;
  if (grey->n_frames >= DETECT_MAX_FRAMES || (grey->n_frames + 1) * size > MAX_PIXELS)
    return "the clip is too long or too large for this chute";
  decoder->scaler = sws_getCachedContext (decoder->scaler, frame->width, frame->height, (enum AVPixelFormat)frame->format,
                                          grey->width, grey->height, AV_PIX_FMT_GRAY8, SWS_AREA, NULL, NULL, NULL);
  if (decoder->scaler == NULL)
    return "the clip's pixel format is not supported";
  g_byte_array_set_size (grey->pixels, (guint)((grey->n_frames + 1) * size));
  uint8_t *planes[4] = { grey->pixels->data + grey->n_frames * size };
  int strides[4] = { grey->width };
  sws_scale (decoder->scaler, (const uint8_t *const *)frame->data, frame->linesize, 0, frame->height, planes, strides);
  grey->n_frames++;
  return NULL;
}

static const char *
drain (Decoder *decoder, Grey *grey)
{
  const char *problem = NULL;
  while (problem == NULL && avcodec_receive_frame (decoder->codec, decoder->frame) >= 0)
  {
    problem = keep_frame (decoder, grey);
    av_frame_unref (decoder->frame);
  }
  return problem;
}

static const char *
decode_all (Decoder *decoder, Grey *grey)
{
  const char *problem = NULL;
  while (problem == NULL && av_read_frame (decoder->format, decoder->packet) >= 0)
  {
    if (decoder->packet->stream_index == decoder->stream && avcodec_send_packet (decoder->codec, decoder->packet) >= 0)
      problem = drain (decoder, grey);
    av_packet_unref (decoder->packet);
  }
  if (problem == NULL && avcodec_send_packet (decoder->codec, NULL) >= 0)
    problem = drain (decoder, grey);
  if (problem == NULL && grey->n_frames == 0)
    problem = "the clip has no frames";
  return problem;
}

/* ── background ── */

static int
compare_levels (const void *a, const void *b)
{
  return *(const guint8 *)a - *(const guint8 *)b;
}

static guint8 *
median_background (const Grey *grey)
{
  gsize size = (gsize)grey->width * (gsize)grey->height;
  guint samples = MIN (SAMPLES, grey->n_frames);
  guint8 *background = g_malloc (size);
  for (gsize p = 0; p < size; p++)
  {
    guint8 levels[SAMPLES];
    for (guint s = 0; s < samples; s++)
      levels[s] = grey->pixels->data[(gsize)(s * grey->n_frames / samples) * size + p];
    qsort (levels, samples, 1, compare_levels);
    background[p] = levels[samples / 2];
  }
  return background;
}

/* ── regions ── */

typedef struct
{
  int x1, y1, x2, y2; /* inclusive */
  guint area;
  guint64 brightness;
} Region;

static void
flood (guint8 *mask, const guint8 *pixels, int width, int height, int start, GArray *stack, Region *region)
{
  *region = (Region){ .x1 = width, .y1 = height, .x2 = -1, .y2 = -1 };
  g_array_set_size (stack, 0);
  g_array_append_val (stack, start);
  mask[start] = 0;
  while (stack->len > 0)
  {
    int at = g_array_index (stack, int, stack->len - 1);
    g_array_set_size (stack, stack->len - 1);
    int x = at % width, y = at / width;
    region->x1 = MIN (region->x1, x);
    region->x2 = MAX (region->x2, x);
    region->y1 = MIN (region->y1, y);
    region->y2 = MAX (region->y2, y);
    region->area++;
    region->brightness += pixels[at];
    for (int ny = MAX (y - 1, 0); ny <= MIN (y + 1, height - 1); ny++)
      for (int nx = MAX (x - 1, 0); nx <= MIN (x + 1, width - 1); nx++)
      {
        int next = ny * width + nx;
        if (!mask[next])
          continue;
        mask[next] = 0;
        g_array_append_val (stack, next);
      }
  }
}

static json_t *
region_to_box (const Region *region)
{
  gboolean is_ball = region->area <= BALL_MAX_AREA && region->brightness / region->area > 160;
  guint box_area = (guint)((region->x2 - region->x1 + 1) * (region->y2 - region->y1 + 1));
  return json_pack ("{s:f,s:f,s:f,s:f,s:i,s:f}", "x1", (double)region->x1 * SCALE, "y1", (double)region->y1 * SCALE, "x2",
                    (double)(region->x2 + 1) * SCALE, "y2", (double)(region->y2 + 1) * SCALE, "cls_id", is_ball ? 1 : 0, "conf",
                    (double)region->area / box_area);
}

static json_t *
find_boxes (const Grey *grey, guint frame, const guint8 *background, guint8 *mask, GArray *stack)
{
  int size = grey->width * grey->height;
  const guint8 *pixels = grey->pixels->data + (gsize)frame * (gsize)size;
  for (int p = 0; p < size; p++)
    mask[p] = abs (pixels[p] - background[p]) > THRESHOLD;
  json_t *boxes = json_array ();
  for (int p = 0; p < size && json_array_size (boxes) < MAX_BOXES; p++)
  {
    if (!mask[p])
      continue;
    Region region;
    flood (mask, pixels, grey->width, grey->height, p, stack, &region);
    if (region.area >= MIN_AREA)
      json_array_append_new (boxes, region_to_box (&region));
  }
  return boxes;
}

json_t *
detect_moving_blobs (const char *path, char **problem)
{
  Decoder decoder = { 0 };
  Grey grey = { .pixels = g_byte_array_new () };
  const char *fault = decoder_open (&decoder, path);
  if (fault == NULL)
    fault = decode_all (&decoder, &grey);
  decoder_close (&decoder);
  json_t *frames = NULL;
  if (fault == NULL)
  {
    g_autofree guint8 *background = median_background (&grey);
    g_autofree guint8 *mask = g_malloc ((gsize)grey.width * (gsize)grey.height);
    g_autoptr (GArray) stack = g_array_new (FALSE, FALSE, sizeof (int));
    frames = json_array ();
    for (guint f = 0; f < grey.n_frames; f++)
      json_array_append_new (
          frames, json_pack ("{s:i,s:o}", "frame_id", (int)f, "boxes", find_boxes (&grey, f, background, mask, stack)));
  }
  g_byte_array_unref (grey.pixels);
  if (fault != NULL)
    *problem = g_strdup (fault);
  return frames != NULL ? json_pack ("{s:o}", "frames", frames) : NULL;
}
