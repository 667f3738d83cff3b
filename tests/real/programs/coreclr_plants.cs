/* SPDX-License-Identifier: Apache-2.0
 *
 * Makes the mistake that its argument names: behind P/Invoke, or with a block of AllocHGlobal.
 */
using System;
using System.Runtime.InteropServices;

class Plants
{
	[DllImport("plants")] static extern int plant_overflow(int n);
	[DllImport("plants")] static extern int plant_use_after_free(int n);
	[DllImport("plants")] static extern int plant_double_free(int n);
	[DllImport("plants")] static extern int plant_leak(int n);
	[DllImport("plants")] static extern int plant_null(int n);
	[DllImport("plants")] static extern int plant_read(IntPtr block, int at);

	static IntPtr Freed()
	{
		IntPtr block = Marshal.AllocHGlobal(100);
		Marshal.FreeHGlobal(block);
		return block;
	}

	static unsafe void WritePast() { *((byte *)Marshal.AllocHGlobal(100) + 200) = 1; }
	static unsafe int ReadFreed() { return *((byte *)Freed() + 3); }

	static void Lose()
	{
		for (int i = 0; i < 3; i++)
			Marshal.AllocHGlobal(1000 + i);
	}

	static void Main(string[] args)
	{
		switch (args[0]) {
		case "overflow": plant_overflow(40); break;
		case "use-after-free": plant_use_after_free(10); break;
		case "double-free": plant_double_free(10); break;
		case "leak": plant_leak(77); break;
		case "null": plant_null(0); break;
		case "read-freed": plant_read(Freed(), 4); break;
		case "managed-write": WritePast(); break;
		case "managed-read": ReadFreed(); break;
		case "managed-double-free": Marshal.FreeHGlobal(Freed()); break;
		case "managed-leak": Lose(); break;
		case "uncaught": throw new InvalidOperationException("uncaught");
		}
		Console.WriteLine("done");
	}
}
