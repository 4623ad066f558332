/* FFmpeg's libraries read dozens of formats, some of which open other files and addresses, so they are kept on a short lead:
 * the container is found first and must be one of two; that demuxer is then named, not guessed; it reads from a descriptor
 * that we opened, and is refused every other. Then the whole file is read packet by packet, because a header says nothing
 * about how much of a clip arrived, and the first frame is decoded, because a header does not make a video either.
 *
 * What libav has to say on standard error is silenced: our errors say what is wrong. */
#include "operator/clip_module.h"

#include <errno.h>
#include <fcntl.h>
#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <math.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "protocol/challenge.h"

#define IO_BUFFER_SIZE (256 * 1024)
#define PROBE_SIZE (1 << 20)
#define ANALYZE_SIZE "8000000"
#define ANALYZE_DURATION_US "10000000"
#define MAX_STREAMS "16"
#define MAX_SIDE 16384
#define MAX_PIXELS (8192 * 8192)
#define MAX_FPS 1000.0
#define MAX_PACKETS_TO_FIRST_FRAME 512
#define TIME_LIMIT_US (5 * 60 * G_USEC_PER_SEC)
#define DURATION_SLACK_MS 1000

typedef struct
{
  const char *demuxer; /* libavformat's name */
  const char *shown;
  const char *const *endings; /* of file names */
} Container;

static const char *const mp4_endings[] = { "mp4", "m4v", "mov", NULL };
static const char *const matroska_endings[] = { "mkv", "webm", NULL };

static const Container containers[] = {
  { "mov,mp4,m4a,3gp,3g2,mj2", "mp4", mp4_endings },
  { "matroska,webm", "matroska", matroska_endings },
};

typedef struct
{
  const char *path;
  int fd;
  gint64 deadline;
  const Container *container;
  const AVInputFormat *demuxer;
  AVIOContext *io;
  AVFormatContext *format;
  const AVCodec *decoder;
  AVCodecContext *codec;
  AVPacket *packet;
  AVFrame *frame;
  AVStream *video;
  gboolean has_frame;
  guint64 n_video_packets;
  gint64 end_us; /* of all streams' packets */
} Probe;

static void
probe_clear (Probe *probe)
{
  av_frame_free (&probe->frame);
  av_packet_free (&probe->packet);
  avcodec_free_context (&probe->codec);
  avformat_close_input (&probe->format);
  if (probe->io != NULL)
    av_freep (&probe->io->buffer);
  avio_context_free (&probe->io);
  if (probe->fd >= 0)
    close (probe->fd);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Probe, probe_clear)

static gboolean fault (const Probe *probe, GError **error, const char *format, ...) G_GNUC_PRINTF (3, 4);

static gboolean
fault (const Probe *probe, GError **error, const char *format, ...)
{
  va_list arguments;
  va_start (arguments, format);
  g_autofree char *what = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  g_set_error (error, SV_ERROR, SV_ERROR_MALFORMED, "clip %s: %s", probe->path, what);
  return FALSE;
}

static gboolean
fault_of_libav (const Probe *probe, const char *what, int code, GError **error)
{
  if (code == AVERROR_EXIT)
    return fault (probe, error, "reading it took too long");
  if (code == AVERROR (ENOMEM))
    return fault (probe, error, "%s: it asks for more memory than there is", what);
  return fault (probe, error, "%s; is it whole? Play it, or make it anew with ffmpeg", what);
}

/* ── the one file ── */

static int
read_packet (void *opaque, guint8 *buffer, int size)
{
  const Probe *probe = opaque;
  if (g_get_monotonic_time () > probe->deadline)
    return AVERROR_EXIT;
  gssize got;
  do
    got = read (probe->fd, buffer, (gsize)size);
  while (got < 0 && errno == EINTR);
  if (got < 0)
    return AVERROR (errno);
  return got == 0 ? AVERROR_EOF : (int)got;
}

static gint64
seek (void *opaque, gint64 offset, int whence)
{
  const Probe *probe = opaque;
  struct stat status;
  if (whence == AVSEEK_SIZE)
    return fstat (probe->fd, &status) == 0 ? status.st_size : AVERROR (errno);
  off_t at = lseek (probe->fd, offset, whence & ~AVSEEK_FORCE);
  return at < 0 ? AVERROR (errno) : at;
}

static int
refuse_other_files (AVFormatContext *format, AVIOContext **io, const char *url, int flags, AVDictionary **options)
{
  return AVERROR (EPERM);
}

static int
is_over_time (void *opaque)
{
  return g_get_monotonic_time () > ((const Probe *)opaque)->deadline;
}

static gboolean
open_file (Probe *probe, GError **error)
{
  struct stat status;
  probe->fd = open (probe->path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  if (probe->fd < 0 || fstat (probe->fd, &status) != 0)
  {
    g_set_error (error, SV_ERROR, errno == ENOENT ? SV_ERROR_NOT_FOUND : SV_ERROR_FAILED, "clip %s: %s", probe->path,
                 g_strerror (errno));
    return FALSE;
  }
  if (!S_ISREG (status.st_mode))
  {
    g_set_error (error, SV_ERROR, SV_ERROR_USAGE, "clip %s: it is not a plain file; name the clip's own file", probe->path);
    return FALSE;
  }
  if (status.st_size == 0)
    return fault (probe, error, "it is empty");
  if ((guint64)status.st_size > SV_CLIP_MAX_BYTES)
    return fault (probe, error, "it has %" G_GINT64_FORMAT " bytes; a clip has at most 2 GiB", (gint64)status.st_size);
  return TRUE;
}

/* ── the container ── */

static gboolean
find_container (Probe *probe, GError **error)
{
  int code = av_probe_input_buffer2 (probe->io, &probe->demuxer, "", NULL, 0, PROBE_SIZE);
  if (code == AVERROR_EXIT)
    return fault_of_libav (probe, "it cannot be read", code, error);
  if (code < 0)
    return fault (probe, error, "it is no video; a clip is mp4, mov, matroska or webm");
  for (gsize i = 0; i < G_N_ELEMENTS (containers); i++)
    if (strcmp (probe->demuxer->name, containers[i].demuxer) == 0)
      probe->container = &containers[i];
  if (probe->container == NULL)
    return fault (probe, error, "it is \"%s\"; a clip is mp4, mov, matroska or webm", probe->demuxer->name);
  return TRUE;
}

/* A name may end in anything but another type's ending: what the name promises, somebody will believe. */
static gboolean
check_name (const Probe *probe, GError **error)
{
  g_autofree char *name = g_path_get_basename (probe->path);
  const char *dot = strrchr (name, '.');
  if (dot == NULL)
    return TRUE;
  for (gsize i = 0; probe->container->endings[i] != NULL; i++)
    if (g_ascii_strcasecmp (dot + 1, probe->container->endings[i]) == 0)
      return TRUE;
  g_autofree char *lower = g_ascii_strdown (name, -1);
  if (av_guess_format (NULL, lower, NULL) == NULL)
    return TRUE;
  return fault (probe, error, "its name says %s, but it is %s; rename it to end in .%s", dot, probe->container->shown,
                probe->container->endings[0]);
}

static gboolean
open_container (Probe *probe, GError **error)
{
  guint8 *buffer = av_malloc (IO_BUFFER_SIZE);
  probe->io = avio_alloc_context (buffer, IO_BUFFER_SIZE, 0, probe, read_packet, NULL, seek);
  if (!find_container (probe, error) || !check_name (probe, error))
    return FALSE;
  AVDictionary *options = NULL;
  av_dict_set (&options, "format_whitelist", probe->container->demuxer, 0);
  av_dict_set (&options, "protocol_whitelist", "file", 0);
  av_dict_set (&options, "max_streams", MAX_STREAMS, 0);
  av_dict_set (&options, "probesize", ANALYZE_SIZE, 0);
  av_dict_set (&options, "analyzeduration", ANALYZE_DURATION_US, 0);
  probe->format = avformat_alloc_context ();
  probe->format->pb = probe->io;
  probe->format->io_open = refuse_other_files;
  probe->format->interrupt_callback = (AVIOInterruptCB){ is_over_time, probe };
  int code = avformat_open_input (&probe->format, NULL, probe->demuxer, &options);
  av_dict_free (&options);
  if (code >= 0)
    code = avformat_find_stream_info (probe->format, NULL);
  return code >= 0 || fault_of_libav (probe, "its header is broken or cut short", code, error);
}

/* ── the video stream ── */

static gboolean
find_video (Probe *probe, GError **error)
{
  int index = av_find_best_stream (probe->format, AVMEDIA_TYPE_VIDEO, -1, -1, &probe->decoder, 0);
  if (index == AVERROR_DECODER_NOT_FOUND)
    return fault (probe, error, "its video is of a kind that cannot be decoded here; use H.264, H.265, VP9 or AV1");
  if (index < 0 || (probe->format->streams[index]->disposition & AV_DISPOSITION_ATTACHED_PIC) != 0)
    return fault (probe, error, "it has no video");
  probe->video = probe->format->streams[index];
  probe->codec = avcodec_alloc_context3 (probe->decoder);
  probe->codec->max_pixels = MAX_PIXELS;
  probe->codec->thread_count = 1;
  int code = avcodec_parameters_to_context (probe->codec, probe->video->codecpar);
  if (code >= 0)
    code = avcodec_open2 (probe->codec, probe->decoder, NULL);
  return code >= 0 || fault_of_libav (probe, "its video cannot be decoded", code, error);
}

static gboolean
read_size (const Probe *probe, SvClipFacts *facts, GError **error)
{
  int width = probe->video->codecpar->width, height = probe->video->codecpar->height;
  if (width < 1 || height < 1 || width > MAX_SIDE || height > MAX_SIDE)
    return fault (probe, error, "its pictures are %d × %d pixels; 1 to %d a side are expected", width, height, MAX_SIDE);
  facts->width = (guint)width;
  facts->height = (guint)height;
  return TRUE;
}

static gboolean
read_fps (const Probe *probe, SvClipFacts *facts, GError **error)
{
  double fps = av_q2d (av_guess_frame_rate (probe->format, probe->video, NULL));
  if (!isfinite (fps) || fps <= 0 || fps > MAX_FPS)
    return fault (probe, error, "it does not tell its frames per second, or not between 0 and %g", MAX_FPS);
  facts->fps = MAX (round (fps * 1000), 1) / 1000;
  return TRUE;
}

static gboolean
read_duration (const Probe *probe, SvClipFacts *facts, GError **error)
{
  gint64 duration_ms = 0;
  if (probe->video->duration != AV_NOPTS_VALUE)
    duration_ms = av_rescale_q (probe->video->duration, probe->video->time_base, (AVRational){ 1, 1000 });
  else if (probe->format->duration != AV_NOPTS_VALUE)
    duration_ms = probe->format->duration / (AV_TIME_BASE / 1000);
  if (duration_ms < 1)
    return fault (probe, error, "it does not tell its duration; write it anew with `ffmpeg -i IN -c copy OUT.mp4`");
  facts->duration_ms = (guint64)duration_ms;
  return TRUE;
}

/* ── its content ── */

/* Broken packets may stand before the first whole frame; only a clip without any is refused. */
static void
decode (Probe *probe, const AVPacket *packet)
{
  if (avcodec_send_packet (probe->codec, packet) >= 0)
    probe->has_frame = avcodec_receive_frame (probe->codec, probe->frame) >= 0;
}

static void
note_end (Probe *probe)
{
  const AVPacket *packet = probe->packet;
  gint64 at = packet->pts != AV_NOPTS_VALUE ? packet->pts : packet->dts;
  if (at == AV_NOPTS_VALUE)
    return;
  AVRational time_base = probe->format->streams[packet->stream_index]->time_base;
  probe->end_us = MAX (probe->end_us, av_rescale_q (at + packet->duration, time_base, AV_TIME_BASE_Q));
}

static gboolean
take_packet (Probe *probe, GError **error)
{
  if ((probe->packet->flags & AV_PKT_FLAG_CORRUPT) != 0)
    return fault_of_libav (probe, "it is damaged or cut short", AVERROR_INVALIDDATA, error);
  note_end (probe);
  if (probe->packet->stream_index != probe->video->index)
    return TRUE;
  probe->n_video_packets++;
  if (!probe->has_frame && probe->n_video_packets <= MAX_PACKETS_TO_FIRST_FRAME)
    decode (probe, probe->packet);
  return TRUE;
}

static gboolean
read_packets (Probe *probe, GError **error)
{
  probe->packet = av_packet_alloc ();
  probe->frame = av_frame_alloc ();
  for (;;)
  {
    int code = av_read_frame (probe->format, probe->packet);
    if (code == AVERROR_EOF)
      return TRUE;
    if (code < 0)
      return fault_of_libav (probe, "it is damaged or cut short", code, error);
    gboolean ok = take_packet (probe, error);
    av_packet_unref (probe->packet);
    if (!ok)
      return FALSE;
  }
}

static gboolean
check_content (Probe *probe, const SvClipFacts *facts, GError **error)
{
  if (!read_packets (probe, error))
    return FALSE;
  if (!probe->has_frame)
    decode (probe, NULL);
  if (!probe->has_frame)
    return fault (probe, error, "none of its frames can be decoded");
  gint64 missing_ms = (gint64)facts->duration_ms - probe->end_us / 1000;
  if (missing_ms > MAX (DURATION_SLACK_MS, (gint64)facts->duration_ms / 50))
    return fault (probe, error,
                  "it is cut short: %" G_GUINT64_FORMAT " ms long by its header, but it ends %" G_GINT64_FORMAT " ms earlier",
                  facts->duration_ms, missing_ms);
  return TRUE;
}

gboolean
SV_CLIP_MODULE_PROBE (const char *path, SvClipFacts *facts, GError **error)
{
  g_auto (Probe) probe = { .path = path, .fd = -1, .deadline = g_get_monotonic_time () + TIME_LIMIT_US };
  av_log_set_level (AV_LOG_QUIET);
  return open_file (&probe, error) && open_container (&probe, error) && find_video (&probe, error) &&
         read_size (&probe, facts, error) && read_fps (&probe, facts, error) && read_duration (&probe, facts, error) &&
         check_content (&probe, facts, error);
}
