/* SPDX-License-Identifier: MIT */
/*
 * The keeper link carries what the keeper (vitrine-gpu) says to its two workers and they to it.
 * Each worker has a link of its own, which it inherits as descriptor KEEPER_LINK_FD. common/link.h
 * transports it.
 *
 * The keeper answers QEMU from its own state and repeats that state to a worker that is new: a
 * renderer that starts afresh and one that replaces a dead one read the same messages, and only the
 * ledger (ledger.h) tells them apart.
 */
#pragma once

#include <stdint.h>

#include "common/confine/confine.h"
#include "common/link.h"

#define KEEPER_LINK_FD 3
#define KEEPER_LINK_VERSION 12

/*
 * A renderer that finds the GPU reset ends with the first of these, and the beat of its gpu thread
 * names the guest's context that is guilty, or none; it is the status by which sysexits.h asks for
 * another try. With the second one, or when a driver ends the process for a reset, nobody knows
 * whose work it was.
 */
#define KEEPER_EXIT_GPU_RESET 75
#define KEEPER_EXIT_GPU_LOST 76

/* Queue 0 is control, queue 1 is cursor (virtio 1.2, 5.7.2). */
#define KEEPER_RINGS 2
/* No ring that the keeper offers has more entries; QEMU gives 256 and 16. */
#define KEEPER_RING_SIZE_MAX 1024
/* A guest has at most this many memory regions: the answer to VHOST_USER_GET_MAX_MEM_SLOTS. */
#define KEEPER_MEMORY_REGIONS_MAX 64
/* spice-server keeps tickets in SPICE_MAX_PASSWORD_LENGTH (60) bytes, the NUL included, and cuts
 * longer ones without a word: nobody could log in. */
#define KEEPER_TICKET_MAX 59
/* So many bytes has a user's name at most. */
#define KEEPER_USER_MAX 63

enum keeper_message {
	/*
	 * Either worker sends this before all else, to say that it can work. One that is not ready
	 * in time is replaced.
	 */
	KEEPER_MESSAGE_READY = 1,

	/*
	 * The keeper sends both workers this, with one descriptor: the worker's end of a new frame
	 * link.
	 */
	KEEPER_MESSAGE_FRAME_LINK,
	/*
	 * The keeper sends both workers this at most once, soon after READY, with one descriptor:
	 * memory for the worker's figures.
	 */
	KEEPER_MESSAGE_STATS,

	/*
	 * The keeper sends render this first of all. Before it render loads libraries and confines
	 * itself, and starts no GPU; so a spare process can wait that costs little.
	 */
	KEEPER_MESSAGE_BEGIN = 15,
	/* The keeper sends these to render after READY. */
	KEEPER_MESSAGE_LEDGER,
	KEEPER_MESSAGE_FEATURES,
	KEEPER_MESSAGE_MEMORY_BEGIN,
	KEEPER_MESSAGE_MEMORY_REGION,
	KEEPER_MESSAGE_MEMORY_COMMIT,
	KEEPER_MESSAGE_RING_START,
	KEEPER_MESSAGE_RING_CALL,
	KEEPER_MESSAGE_RING_STOP,
	KEEPER_MESSAGE_RESET,
	KEEPER_MESSAGE_FIRST_MODE,
	/* Render sends these to the keeper. */
	KEEPER_MESSAGE_RING_STOPPED,
	KEEPER_MESSAGE_GPU,
	KEEPER_MESSAGE_CONTEXT_LOST,

	/* The keeper sends these to display. */
	KEEPER_MESSAGE_LISTENER = 32,
	KEEPER_MESSAGE_PASSWORDS,
	KEEPER_MESSAGE_TICKET,
	KEEPER_MESSAGE_DBUS,
	KEEPER_MESSAGE_CERTIFICATE,
	/* Display sends these to the keeper. */
	KEEPER_MESSAGE_TICKET_USED,
	KEEPER_MESSAGE_POINTER_AREA,
	KEEPER_MESSAGE_VISITOR,
	/* The keeper sends this to display. */
	KEEPER_MESSAGE_VISITOR_JUDGED,
	KEEPER_MESSAGE_ENDS,
	KEEPER_MESSAGE_SWITCH,
	/* The keeper asks display, and is answered: once, in order. */
	KEEPER_MESSAGE_SCREENSHOT = 64,
	KEEPER_MESSAGE_SCREENSHOT_TAKEN,
	KEEPER_MESSAGE_CLIENT,    /* display sends this to the keeper */
	KEEPER_MESSAGE_SAYS = 80, /* the keeper sends this to display */
	KEEPER_MESSAGE_DIRTY_LOG, /* the keeper sends this to render */
	KEEPER_MESSAGE_TROUBLE,   /* render sends this to the keeper */
	KEEPER_MESSAGE_HAND_OVER, /* the keeper sends this to display */
};

struct keeper_ready {
	struct link_header header;
	uint32_t version;   /* KEEPER_LINK_VERSION */
	uint32_t n_capsets; /* render: capsets offered to the guest, 0 without virgl */
	struct confine_state walls;
	struct confine_state inner_walls; /* display: of its child, which connects */
};

struct keeper_begin {
	struct link_header header;
	uint32_t is_spare; /* it is one, and is named so until it hears more */
};

struct keeper_frame_link {
	struct link_header header;
};

/* Its one descriptor is this worker's struct stats (stats.h), which outlives the process. */
struct keeper_stats {
	struct link_header header;
};

/* Its one descriptor is the ledger's memfd. It is sent once, before anything else. */
struct keeper_ledger {
	struct link_header header;
};

/*
 * Tells which virtio features the guest's driver accepted (VIRTIO_GPU_F_*, VIRTIO_RING_F_* bits).
 */
struct keeper_features {
	struct link_header header;
	uint64_t features;
};

/*
 * Tells with which mode head 0 begins, until a client wants another one, and the refresh rate of
 * all heads. It may come at any time, and counts before the next command.
 */
struct keeper_first_mode {
	struct link_header header;
	uint32_t width, height; /* in pixels; 0: as without this message */
	uint32_t refresh_mhz;   /* 0: as without this message */
	uint32_t reserved;
};

/*
 * Guest memory is always given whole: BEGIN, one REGION each with its descriptor, COMMIT. At COMMIT
 * the new table replaces the old one for everything taken from a ring afterwards; memory of the old
 * table stays mapped only as long as work in progress needs it. There is no answer, and the keeper
 * waits for none.
 */
struct keeper_memory_begin {
	struct link_header header;
	uint32_t n_regions;
	uint32_t reserved;
};

struct keeper_memory_region {
	struct link_header header;
	uint64_t guest_addr; /* guest-physical: what descriptors and backings hold */
	uint64_t user_addr;  /* QEMU's address: what ring addresses hold */
	uint64_t size_bytes;
	uint64_t offset_bytes; /* in the descriptor */
};

struct keeper_memory_commit {
	struct link_header header;
};

/*
 * It has one or two descriptors: kick, then call if there is one. The ring is enabled and may hold
 * work already, so render looks without waiting for a kick. Addresses are QEMU user addresses.
 */
struct keeper_ring_start {
	struct link_header header;
	uint32_t ring;
	uint32_t size; /* entries, at most KEEPER_RING_SIZE_MAX; a power of two if it is split */
	uint64_t desc_user_addr, avail_user_addr, used_user_addr;
	uint16_t next_avail; /* index of the first entry to take */
	uint16_t next_used;  /* of a packed ring; both have its wrap counter in their highest bit */
	uint16_t reserved[2];
};

/*
 * It has a new call descriptor, or none, and then render calls nobody. Interrupt masking changes
 * this at any time.
 */
struct keeper_ring_call {
	struct link_header header;
	uint32_t ring;
	uint32_t reserved;
};

/*
 * Render shall touch the ring no more. It is answered with RING_STOPPED at once, from a thread that
 * never waits for the GPU; answers still owed are kept and given when the ring starts again, unless
 * RESET comes before.
 */
struct keeper_ring_stop {
	struct link_header header;
	uint32_t ring;
	uint32_t serial;
};

struct keeper_ring_stopped {
	struct link_header header;
	uint32_t ring;
	uint32_t serial;     /* of the RING_STOP */
	uint16_t next_avail; /* where to start again */
	uint16_t next_used;  /* of a packed ring */
	uint16_t reserved[2];
};

/*
 * The guest's driver is new (reboot, reload): every resource, context, scanout, owed answer and the
 * ledger's contents go. Rings are stopped when this is sent.
 */
struct keeper_reset {
	struct link_header header;
};

/* The text of GPU has this many bytes, its NUL included. */
#define KEEPER_GPU_TEXT_BYTES 256

/*
 * Tells what it draws with, before READY; or, with `works` 0, why it does not on the GPU that it
 * was given, and then it ends. The keeper starts another one with the next GPU (gpu_search.h).
 */
struct keeper_gpu {
	struct link_header header;
	uint32_t works;
	uint32_t reserved;
	char text[KEEPER_GPU_TEXT_BYTES]; /* NUL-padded, and for people */
};

/*
 * Tells that the guest's context is lost, since what was sent in it was refused; the renderer and
 * other contexts go on. It comes once or twice for a context, and not at all where the link is
 * full.
 */
struct keeper_context_lost {
	struct link_header header;
	uint32_t context;
	uint32_t reserved;
};

/*
 * QEMU saves the guest: what is written to its memory is to be marked in the log, which is the one
 * descriptor (render/ring/dirty_log.h). Without one it does not any more. The rings are stopped.
 */
struct keeper_dirty_log {
	struct link_header header;
	uint64_t offset_bytes, size_bytes;
};

/* Why a guest's driver gets no answers, though its rings have started. */
enum keeper_trouble {
	KEEPER_TROUBLE_NO_MEMORY = 1,   /* no memory region came with a descriptor */
	KEEPER_TROUBLE_RING_OUTSIDE,    /* a ring lies in no region */
	KEEPER_TROUBLE_RING_EMPTY,      /* kicks come, but what we see of the ring is empty */
	KEEPER_TROUBLE_BUFFERS_OUTSIDE, /* a command, or a picture's memory, lies in no region */
	KEEPER_TROUBLE_IOMMU,           /* addresses are those of a virtual IOMMU */
	KEEPER_TROUBLES,
};

/*
 * Tells RING_EMPTY or BUFFERS_OUTSIDE: what only who reads the rings can know. Each is told once by
 * a renderer.
 */
struct keeper_trouble_told {
	struct link_header header;
	uint32_t trouble; /* enum keeper_trouble */
	uint32_t reserved;
};

enum keeper_listener_kind {
	KEEPER_LISTENER_TCP = 1,
	KEEPER_LISTENER_UNIX = 2,
	KEEPER_LISTENER_TLS = 3, /* TCP; display wants TLS from the first byte */
};

/* Its one descriptor is a listening stream socket on which SPICE clients arrive. */
struct keeper_listener {
	struct link_header header;
	uint32_t kind; /* enum keeper_listener_kind */
	uint32_t reserved;
};

/*
 * Its two descriptors are PEM files with the certificate (and those that vouch for it, behind it)
 * and with its key. Display reads them from their beginning. It comes before a KEEPER_LISTENER_TLS;
 * if it comes again, the new ones count.
 */
struct keeper_certificate {
	struct link_header header;
};

/*
 * Passwords are always given whole, like guest memory: behind this come so many TICKETs that are
 * not ONCE, and when the last of them is there they take the place of all passwords before, at
 * once. So nobody is judged by half of a list. 0: nobody is asked for a password. It comes before a
 * listener does. Tickets that let one session in stay as they are.
 */
struct keeper_passwords {
	struct link_header header;
	uint32_t n_passwords; /* at most KEEPER_PASSWORDS_MAX */
	uint32_t reserved;
};

/* The desktop's two, and those of 50 users. */
#define KEEPER_PASSWORDS_MAX 52

/* Others have names of the keeper's own. */
#define KEEPER_TICKET_PASSWORD 1
#define KEEPER_TICKET_VIEW_PASSWORD 2
#define KEEPER_TICKET_FIRST_GIVEN 16
#define KEEPER_TICKET_FIRST_USER 0x80000000u /* and behind it */

#define KEEPER_TICKET_VIEW_ONLY 1u /* who comes with it may look and listen, and no more */
#define KEEPER_TICKET_ONCE 2u      /* it lets one session in */
#define KEEPER_TICKET_NAMED 4u     /* it is of no use without the user's name */
#define KEEPER_TICKET_SPENT 8u     /* of ONCE: it has been used in a display before this one */
#define KEEPER_TICKET_FLAGS 15u

/*
 * `ticket` is a password that clients may give: one of PASSWORDS, or with ONCE one for itself,
 * which comes at any time. It is never empty, and has no NUL when it is full. Who logs in by SASL
 * must give the user's name with it.
 */
struct keeper_ticket {
	struct link_header header;
	uint32_t name;
	uint32_t flags;        /* KEEPER_TICKET_... */
	uint32_t use_within_s; /* it must be used first within so many seconds; 0: at any time */
	uint32_t reserved;
	char ticket[KEEPER_TICKET_MAX + 5];
	char user[KEEPER_USER_MAX + 1]; /* with a NUL; "": it can be given with no name */
};

enum keeper_ticket_use {
	KEEPER_TICKET_UNUSED,     /* no session came of it, and it can be used after all */
	KEEPER_TICKET_IN_SESSION, /* before whoever gave it comes in */
	KEEPER_TICKET_OVER,       /* its session has ended */
};

/*
 * Says what has become of a ticket. The keeper so knows it when display crashes the moment after:
 * who is in session then comes in to the next display by the same ticket, for a while; no other
 * one that has been used lets anybody in again, whatever later displays say.
 */
struct keeper_ticket_used {
	struct link_header header;
	uint32_t name;
	uint32_t use; /* enum keeper_ticket_use */
};

/*
 * Its one descriptor is a peer-to-peer D-Bus connection to QEMU's org.qemu.Display1, whose client
 * display is.
 */
struct keeper_dbus {
	struct link_header header;
};

/* QEMU's id of our device, where it is vitrine run that starts QEMU. */
#define KEEPER_GPU_ID "vitrine-gpu"

/*
 * Tells the size of the whole desktop in pixels (the bounding box of all heads). The keeper tells
 * QEMU, whose D-Bus pointer is bounded by what it believes the console's size to be; display scales
 * to what QEMU then reports.
 */
struct keeper_pointer_area {
	struct link_header header;
	uint32_t width, height;
};

/*
 * Asks whether somebody may come in who need give no password. Only the keeper can tell who it is:
 * display has a network and user numbers of its own. On TCP it is told by the connection's two
 * addresses; on a unix socket (AF_UNIX) the one descriptor is the connection itself, and the
 * addresses are 0.
 */
struct keeper_visitor {
	struct link_header header;
	uint32_t serial; /* display's own, for the answer */
	uint16_t family; /* AF_INET, AF_INET6 or AF_UNIX */
	uint16_t reserved;
	uint16_t peer_port, local_port;        /* in network order */
	uint8_t peer_addr[16], local_addr[16]; /* as in a packet; of AF_INET the first four */
};

#define KEEPER_UID_UNKNOWN UINT32_MAX

/* Every VISITOR is answered, in the order in which they came. */
struct keeper_visitor_judged {
	struct link_header header;
	uint32_t serial;
	uint32_t welcome; /* 0: the connection is to be closed */
	uint32_t uid;     /* whose it is, on the host; KEEPER_UID_UNKNOWN: that is not known */
};

/* Like the text of the event that followers are told it by (ticket_request.h). */
#define KEEPER_CLIENT_TEXT_BYTES 128

enum keeper_client_what {
	KEEPER_CLIENT_LEFT,
	KEEPER_CLIENT_CAME,
	KEEPER_CLIENT_REFUSED,   /* though it knows the password */
	KEEPER_CLIENT_DRIVES,    /* it was handed over to it */
	KEEPER_CLIENT_NOT_THERE, /* to whom it was to be */
};

#define KEEPER_CLIENT_VIEW_ONLY 1u

/* A client has come, or gone: from where, why. */
struct keeper_client {
	struct link_header header;
	uint32_t what;                       /* enum keeper_client_what */
	uint32_t flags;                      /* KEEPER_CLIENT_... */
	char text[KEEPER_CLIENT_TEXT_BYTES]; /* with a NUL, for people */
};

#define KEEPER_CLIENT_NAME_BYTES 80

/* Has this client drive, which is named as display names it: "address:port"; "": whoever came so
 * that it may. CLIENT says what came of it. */
struct keeper_hand_over {
	struct link_header header;
	char client[KEEPER_CLIENT_NAME_BYTES]; /* with a NUL */
};

/* Asks for the picture of a head (screenshot_request.h). */
struct keeper_screenshot {
	struct link_header header;
	uint32_t head;
	uint32_t reserved;
};

/* With a descriptor as struct screenshot_answer has it. */
struct keeper_screenshot_taken {
	struct link_header header;
	uint32_t result; /* enum screenshot_result */
	uint32_t width, height;
	uint32_t reserved;
};

/* The text of ENDS has this many bytes, its NUL included. */
#define KEEPER_ENDS_TEXT_BYTES 64

/*
 * Says, right before the keeper ends, what clients are to be told of why. Who looks may read it
 * after the link was closed, too, for so many milliseconds.
 */
#define KEEPER_ENDS_WAIT_MS 3000
struct keeper_ends {
	struct link_header header;
	char text[KEEPER_ENDS_TEXT_BYTES]; /* with a NUL */
};

/*
 * Says what clients are to be shown while the guest shows nothing; empty: nothing. The guest's next
 * picture takes its place.
 */
struct keeper_says {
	struct link_header header;
	char text[KEEPER_ENDS_TEXT_BYTES]; /* with a NUL */
};

/*
 * Another display is to take this one's place. This one accepts nobody any more, has its clients
 * come again by SPICE's host switch, which leaves their windows open, and ends when they had time
 * to go.
 */
struct keeper_switch {
	struct link_header header;
};
