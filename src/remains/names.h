/* SPDX-License-Identifier: Apache-2.0
 *
 * The search for leaks, the census and what is told of them are compiled a second time for core
 * files (local.am). What they call of the process that they run in is renamed here, and is of
 * the module then; so are they, because the fencepost program has the others, too.
 */
#define fp_channel_is fp_remains_channel_is
#define fp_clock_now fp_remains_clock_now
#define fp_guard_span fp_remains_guard_span
#define fp_heap_align_site fp_remains_heap_align_site
#define fp_heap_find fp_remains_heap_find
#define fp_heap_is_masked fp_remains_heap_is_masked
#define fp_held_here fp_remains_held_here
#define fp_leak_memory_close fp_remains_memory_close
#define fp_leak_memory_next_page fp_remains_memory_next_page
#define fp_leak_memory_next_run fp_remains_memory_next_run
#define fp_leak_memory_open fp_remains_memory_open
#define fp_leak_memory_read fp_remains_memory_read
#define fp_leak_memory_word fp_remains_memory_word
#define fp_leak_thread_storage fp_remains_thread_storage
#define fp_maps_each fp_remains_maps_each
#define fp_meta_region fp_remains_meta_region
#define fp_own_range fp_remains_own_range
#define fp_pointer_describe fp_remains_pointer_describe
#define fp_pools_each_live fp_remains_pools_each_live
#define fp_pools_find fp_remains_pools_find
#define fp_pools_live_count fp_remains_pools_live_count
#define fp_pools_next fp_remains_pools_next
#define fp_pools_records fp_remains_pools_records
#define fp_region_each_live fp_remains_region_each_live
#define fp_region_find fp_remains_region_find
#define fp_registry_each_kept_pointer fp_remains_each_kept_pointer
#define fp_registry_each_live fp_remains_each_live
#define fp_registry_each_live_of fp_remains_each_live_of
#define fp_registry_live_count fp_remains_live_count
#define fp_room_holds fp_remains_room_holds
#define fp_room_outside fp_remains_room_outside
#define fp_session_explain_holders fp_remains_explain_holders
#define fp_session_find_last_holder fp_remains_find_last_holder
#define fp_session_release_holders fp_remains_release_holders
#define fp_stack_keep_frames fp_remains_keep_frames
#define fp_stack_list_frames fp_remains_list_frames
#define fp_stack_site fp_remains_stack_site
#define fp_stack_trace fp_remains_stack_trace
