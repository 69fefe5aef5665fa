/* SPDX-License-Identifier: MIT */
#include "server/keeper/troubles.h"

#include "protocol/flight_events.h"

#define SHARE                                                                                      \
	"QEMU must share it: -object memory-backend-memfd,id=mem,size=...,share=on -machine "      \
	"...,memory-backend=mem (libvirt: <memoryBacking><source type='memfd'/><access "           \
	"mode='shared'/></memoryBacking>)"
#define NOT_SHARED "The guest's memory is not shared: memory-backend-memfd,share=on"

static const struct {
	const char *line, *notice;
} words[KEEPER_TROUBLES] = {
	[KEEPER_TROUBLE_NO_MEMORY] = { "none of the guest's memory is shared with us, so nothing "
				       "of it can be shown. " SHARE,
		NOT_SHARED },
	[KEEPER_TROUBLE_RING_OUTSIDE] = { "the guest's driver has put its rings into memory that "
					  "is "
					  "not shared with us, so nothing of it can be shown. "
					  "All of the guest's memory counts. " SHARE,
		NOT_SHARED },
	[KEEPER_TROUBLE_RING_EMPTY] = { "the guest's driver has written commands, and we see none "
					"of "
					"them: its memory is not shared with us (share=off), so "
					"nothing of it can be shown. " SHARE,
		NOT_SHARED },
	[KEEPER_TROUBLE_BUFFERS_OUTSIDE] = { "the guest's driver uses memory that is not shared "
					     "with "
					     "us, so not all of it can be shown. All of the "
					     "guest's memory counts, each NUMA node's, too. " SHARE,
		"Some of the guest's memory is not shared: set share=on" },
	[KEEPER_TROUBLE_IOMMU] = { "the guest's driver uses a virtual IOMMU, which is not served, "
				   "so "
				   "nothing of it can be shown. Take iommu_platform=on and ats=on "
				   "away from the device (libvirt: <driver iommu='on' ats='on'/>)",
		"A virtual IOMMU is not served: take iommu_platform=on away" },
};

_Static_assert(sizeof(NOT_SHARED) <= KEEPER_ENDS_TEXT_BYTES, "nothing of it is cut");

void troubles_tell(struct troubles *troubles, enum keeper_trouble trouble)
{
	g_assert(trouble > 0 && trouble < KEEPER_TROUBLES);
	if (troubles->told & (1u << trouble))
		return;
	troubles->told |= 1u << trouble;
	flight_note(FLIGHT_TROUBLE, trouble, 0, 0);
	g_warning("guest: %s", words[trouble].line);
	if (troubles->viewer)
		viewer_say(troubles->viewer, words[trouble].notice);
}
