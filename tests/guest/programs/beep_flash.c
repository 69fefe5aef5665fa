/* SPDX-License-Identifier: MIT */
/*
 * beep-flash [COUNT] shows a film with sound, without a compositor, to see how far what is heard
 * and what is seen lie apart. Each BEAT_MS it beeps for BEEP_MS and shows a square of a colour in
 * the middle of the film for FLASH_MS; tone and colour change from one to the next as in `beats`.
 * The film's clock is the sound card's. After COUNT beeps, when given, it goes on with silence and
 * without flashes.
 *
 * It prints "film WIDTH HEIGHT square X Y" (the square's middle), then a line for each flash:
 * "flash NUMBER late MS", how much of the beep the card had fetched when the picture was handed to
 * the kernel, and after the last "dry N", how often the card ran dry. It runs until it is killed.
 */
#include <GLES2/gl2.h>
#include <math.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alsa_card.h"
#include "kms_output.h"

#define BEAT_MS 500
#define BEEP_MS 100
#define FLASH_MS 250
#define FILM_RATE 20
#define FILM_WIDTH 960
#define FILM_HEIGHT 540
#define SQUARE_SIZE 160
#define BEEP_VALUE 16000.0
#define FRAMES_PER_MS (ALSA_CARD_RATE / 1000)
#define FRAMES_PER_BEAT (BEAT_MS * FRAMES_PER_MS)

static const struct {
	double hz;
	GLfloat red, green, blue;
} beats[] = { { 500, 1, 0, 0 }, { 1000, 0, 1, 0 }, { 1500, 0, 0, 1 }, { 2000, 1, 1, 1 } };

#define N_BEATS (sizeof(beats) / sizeof(beats[0]))

struct film {
	struct kms_output output;
	struct alsa_card card;
	GLuint shader;
	uint64_t next;    /* frame that is due */
	uint64_t n_beeps; /* UINT64_MAX: no end */
	bool is_over;
};

/* ---- sound ---- */

/* We leave out the first beat, as the card may not have started. */
static bool is_beat(const struct film *film, uint64_t beat)
{
	return beat > 0 && beat <= film->n_beeps;
}

static int16_t sample_at(const struct film *film, uint64_t frame)
{
	const uint64_t beat = frame / FRAMES_PER_BEAT, in_beat = frame % FRAMES_PER_BEAT;

	if (!is_beat(film, beat) || in_beat >= BEEP_MS * FRAMES_PER_MS)
		return 0;
	const double turns = beats[beat % N_BEATS].hz * (double)in_beat / ALSA_CARD_RATE;
	return (int16_t)(BEEP_VALUE * cos(2 * M_PI * turns));
}

static void sound_fill(struct film *film)
{
	struct alsa_card *card = &film->card;
	int16_t samples[ALSA_CARD_PERIOD_FRAMES * 2];
	unsigned n = ALSA_CARD_PERIOD_FRAMES;

	while (n == ALSA_CARD_PERIOD_FRAMES) {
		for (unsigned i = 0; i < n; i++)
			samples[i * 2] = samples[i * 2 + 1] = sample_at(film, card->n_written + i);
		n = alsa_card_write(card, samples, n);
	}
}

/* ---- picture ---- */

/* The shades move, so that display sends them as video. */
static const char vertex_source[] =
	"attribute vec2 place; varying mediump vec2 at;"
	"void main() { at = place; gl_Position = vec4(place, 0.0, 1.0); }";
static const char fragment_source[] =
	"precision mediump float; varying vec2 at; uniform float time; void main() {"
	" float wave = sin(at.x * 5.0 + time) * cos(at.y * 4.0 - time * 0.7);"
	" float other = sin(at.x * 3.0 - time);"
	" gl_FragColor = vec4(0.25 + 0.15 * wave, 0.25 + 0.1 * other, 0.3 - 0.15 * wave, 1.0); }";

static bool shader_make(struct film *film)
{
	static const GLfloat corners[] = { -1, -1, 1, -1, -1, 1, 1, 1 };
	const GLenum types[] = { GL_VERTEX_SHADER, GL_FRAGMENT_SHADER };
	const char *sources[] = { vertex_source, fragment_source };
	GLint linked = 0;

	film->shader = glCreateProgram();
	for (int i = 0; i < 2; i++) {
		const GLuint shader = glCreateShader(types[i]);

		glShaderSource(shader, 1, &sources[i], NULL);
		glCompileShader(shader);
		glAttachShader(film->shader, shader);
	}
	glBindAttribLocation(film->shader, 0, "place");
	glLinkProgram(film->shader);
	glGetProgramiv(film->shader, GL_LINK_STATUS, &linked);
	glUseProgram(film->shader);
	glVertexAttribPointer(0, 2, GL_FLOAT, GL_FALSE, 0, corners);
	glEnableVertexAttribArray(0);
	if (!linked)
		fputs("beep-flash: the shader does not link\n", stderr);
	return linked;
}

static void square_draw(const struct film *film, uint64_t beat)
{
	const int top = film->output.height - FILM_HEIGHT;

	glEnable(GL_SCISSOR_TEST);
	glScissor((FILM_WIDTH - SQUARE_SIZE) / 2, top + (FILM_HEIGHT - SQUARE_SIZE) / 2,
		SQUARE_SIZE, SQUARE_SIZE);
	glClearColor(beats[beat % N_BEATS].red, beats[beat % N_BEATS].green,
		beats[beat % N_BEATS].blue, 1);
	glClear(GL_COLOR_BUFFER_BIT);
	glDisable(GL_SCISSOR_TEST);
	glClearColor(0, 0, 0, 1);
}

/*
 * Draws and shows a frame. A buffer that is new to us is cleared first, so that it is black around
 * the film.
 */
static bool frame_show(struct film *film, uint64_t frame)
{
	static const int damage[4] = { 0, 0, FILM_WIDTH, FILM_HEIGHT };
	const uint64_t ms = frame * 1000 / FILM_RATE;
	const bool whole = kms_output_buffer_age(&film->output) == 0;

	if (whole)
		glClear(GL_COLOR_BUFFER_BIT);
	glViewport(0, film->output.height - FILM_HEIGHT, FILM_WIDTH, FILM_HEIGHT);
	glUniform1f(glGetUniformLocation(film->shader, "time"), (GLfloat)(frame % 10000) * 0.15f);
	glDrawArrays(GL_TRIANGLE_STRIP, 0, 4);
	if (is_beat(film, ms / BEAT_MS) && ms % BEAT_MS < FLASH_MS)
		square_draw(film, ms / BEAT_MS);
	return kms_output_flip(&film->output, whole ? NULL : damage);
}

static void flash_print(struct film *film, uint64_t frame)
{
	const uint64_t ms = frame * 1000 / FILM_RATE;
	const int64_t beep = (int64_t)(ms * FRAMES_PER_MS);

	if (!is_beat(film, ms / BEAT_MS) || ms % BEAT_MS != 0)
		return;
	printf("flash %u late %.1f\n", (unsigned)(ms / BEAT_MS),
		(double)((int64_t)alsa_card_played(&film->card) - beep) / FRAMES_PER_MS);
	fflush(stdout);
}

/* ---- the film ---- */

static void frame_if_due(struct film *film)
{
	const uint64_t due = alsa_card_played(&film->card) * FILM_RATE / ALSA_CARD_RATE;

	if (film->output.flip_pending || due < film->next)
		return;
	/* A frame that is to flash must not be left out, so we show it even if it is late. */
	const uint64_t beat =
		film->next + (FILM_RATE / 2 - film->next % (FILM_RATE / 2)) % (FILM_RATE / 2);
	const uint64_t frame = beat <= due ? beat : due;
	frame_show(film, frame);
	flash_print(film, frame);
	film->next = frame + 1;
}

static void dry_print(struct film *film)
{
	if (film->is_over || film->next * 1000 / FILM_RATE / BEAT_MS <= film->n_beeps)
		return;
	film->is_over = true;
	printf("dry %u\n", film->card.n_dry);
	fflush(stdout);
}

static void film_run(struct film *film)
{
	struct pollfd fd = { film->output.fd, POLLIN, 0 };

	for (;;) {
		sound_fill(film);
		frame_if_due(film);
		dry_print(film);
		if (poll(&fd, 1, 2) > 0)
			kms_output_dispatch(&film->output);
	}
}

int main(int argc, char **argv)
{
	static struct film film;

	film.n_beeps = argc > 1 ? strtoull(argv[1], NULL, 10) : UINT64_MAX;
	if (!kms_output_open(&film.output) || !shader_make(&film) || !frame_show(&film, 0) ||
		!alsa_card_open(&film.card))
		return 1;
	printf("film %d %d square %d %d\n", FILM_WIDTH, FILM_HEIGHT, FILM_WIDTH / 2,
		FILM_HEIGHT / 2);
	fflush(stdout);
	film_run(&film);
	return 0;
}
