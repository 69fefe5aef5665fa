/* SPDX-License-Identifier: MIT */
/*
 * The whole of one room's library is linked behind this main, with what the room may include and
 * nothing else. It does nothing, as it is enough that it links.
 */
int main(void)
{
	return 0;
}
