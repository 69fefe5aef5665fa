/* SPDX-License-Identifier: MIT */
#include "alsa_card.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sound/asound.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define CONTROLS_MAX 64

static bool card_fail(const char *what)
{
	fprintf(stderr, "alsa_card: %s: %s\n", what, strerror(errno));
	return false;
}

/* ---- the mixer: a card starts silent ---- */

static bool name_ends(const char *name, const char *end)
{
	const size_t length = strlen(name), end_length = strlen(end);

	return length >= end_length && strcmp(name + length - end_length, end) == 0;
}

static void control_set(int fd, const struct snd_ctl_elem_id *id)
{
	struct snd_ctl_elem_info info = { .id = *id };
	struct snd_ctl_elem_value value = { .id = *id };
	const char *name = (const char *)id->name;

	if (!name_ends(name, " Volume") && !name_ends(name, " Switch"))
		return;
	if (ioctl(fd, SNDRV_CTL_IOCTL_ELEM_INFO, &info) < 0)
		return;
	const long most = info.type == SNDRV_CTL_ELEM_TYPE_INTEGER ? info.value.integer.max : 1;
	for (unsigned i = 0; i < info.count && i < 128; i++)
		value.value.integer.value[i] = most;
	if (ioctl(fd, SNDRV_CTL_IOCTL_ELEM_WRITE, &value) < 0)
		card_fail(name);
}

static void mixer_open_up(void)
{
	struct snd_ctl_elem_id ids[CONTROLS_MAX];
	struct snd_ctl_elem_list list = { .space = CONTROLS_MAX, .pids = ids };
	const int fd = open("/dev/snd/controlC0", O_RDWR | O_CLOEXEC);

	if (fd < 0 || ioctl(fd, SNDRV_CTL_IOCTL_ELEM_LIST, &list) < 0)
		card_fail("/dev/snd/controlC0");
	for (unsigned i = 0; i < list.used; i++)
		control_set(fd, &ids[i]);
	if (fd >= 0)
		close(fd);
}

/* ---- the device ---- */

static void mask_set(struct snd_pcm_hw_params *params, int parameter, unsigned bit)
{
	struct snd_mask *mask = &params->masks[parameter - SNDRV_PCM_HW_PARAM_FIRST_MASK];

	memset(mask, 0, sizeof(*mask));
	mask->bits[bit / 32] = 1u << bit % 32;
}

static void interval_set(struct snd_pcm_hw_params *params, int parameter, unsigned value)
{
	params->intervals[parameter - SNDRV_PCM_HW_PARAM_FIRST_INTERVAL] =
		(struct snd_interval){ .min = value, .max = value, .integer = 1 };
}

static void params_init(struct snd_pcm_hw_params *params)
{
	memset(params, 0, sizeof(*params));
	memset(params->masks, 0xff, sizeof(params->masks));
	for (int i = SNDRV_PCM_HW_PARAM_FIRST_INTERVAL; i <= SNDRV_PCM_HW_PARAM_LAST_INTERVAL; i++)
		params->intervals[i - SNDRV_PCM_HW_PARAM_FIRST_INTERVAL].max = UINT_MAX;
	params->rmask = UINT_MAX;
	params->info = UINT_MAX;
}

static bool device_open(struct alsa_card *card, const char *path)
{
	struct snd_pcm_hw_params params;

	*card = (struct alsa_card){ .fd = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC) };
	if (card->fd < 0)
		return card_fail(path);
	params_init(&params);
	mask_set(&params, SNDRV_PCM_HW_PARAM_ACCESS, SNDRV_PCM_ACCESS_RW_INTERLEAVED);
	mask_set(&params, SNDRV_PCM_HW_PARAM_FORMAT, SNDRV_PCM_FORMAT_S16_LE);
	interval_set(&params, SNDRV_PCM_HW_PARAM_CHANNELS, 2);
	interval_set(&params, SNDRV_PCM_HW_PARAM_RATE, ALSA_CARD_RATE);
	interval_set(&params, SNDRV_PCM_HW_PARAM_PERIOD_SIZE, ALSA_CARD_PERIOD_FRAMES);
	interval_set(&params, SNDRV_PCM_HW_PARAM_BUFFER_SIZE, ALSA_CARD_BUFFER_FRAMES);
	if (ioctl(card->fd, SNDRV_PCM_IOCTL_HW_PARAMS, &params) < 0 ||
		ioctl(card->fd, SNDRV_PCM_IOCTL_PREPARE) < 0)
		return card_fail("16-bit stereo at 48 kHz");
	mixer_open_up();
	return true;
}

bool alsa_card_open(struct alsa_card *card)
{
	return device_open(card, "/dev/snd/pcmC0D0p");
}

bool alsa_card_open_microphone(struct alsa_card *card)
{
	if (!device_open(card, "/dev/snd/pcmC0D0c"))
		return false;
	return ioctl(card->fd, SNDRV_PCM_IOCTL_START) == 0 || card_fail("the microphone's start");
}

unsigned alsa_card_read(struct alsa_card *card, int16_t *samples, unsigned n_frames)
{
	struct snd_xferi transfer = { .buf = samples, .frames = n_frames };

	if (ioctl(card->fd, SNDRV_PCM_IOCTL_READI_FRAMES, &transfer) < 0) {
		if (errno == EPIPE && ioctl(card->fd, SNDRV_PCM_IOCTL_PREPARE) == 0 &&
			ioctl(card->fd, SNDRV_PCM_IOCTL_START) == 0)
			card->n_dry++;
		return 0;
	}
	return (unsigned)transfer.result;
}

unsigned alsa_card_write(struct alsa_card *card, const int16_t *samples, unsigned n_frames)
{
	struct snd_xferi transfer = { .buf = (void *)(uintptr_t)samples, .frames = n_frames };

	if (ioctl(card->fd, SNDRV_PCM_IOCTL_WRITEI_FRAMES, &transfer) < 0) {
		if (errno != EPIPE || ioctl(card->fd, SNDRV_PCM_IOCTL_PREPARE) < 0)
			return 0;
		card->n_dry++;
		return alsa_card_write(card, samples, n_frames);
	}
	card->n_written += (uint64_t)transfer.result;
	return (unsigned)transfer.result;
}

uint64_t alsa_card_played(struct alsa_card *card)
{
	snd_pcm_sframes_t delay = 0;

	if (ioctl(card->fd, SNDRV_PCM_IOCTL_DELAY, &delay) < 0 || delay < 0)
		return card->n_written;
	return card->n_written - (uint64_t)delay;
}
