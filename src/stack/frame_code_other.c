/* SPDX-License-Identifier: Apache-2.0
 *
 * Code keeps frame records on this processor.
 */
#include "stack/frame_code.h"

bool fp_frame_code_find(uintptr_t pc, uintptr_t sp, struct fp_frame_code *frame)
{
	(void)pc;
	(void)sp;
	(void)frame;
	return false;
}

bool fp_frame_code_is_behind_call(uintptr_t pc)
{
	(void)pc;
	return false;
}
