/* SPDX-License-Identifier: Apache-2.0
 *
 * What a runtime does with signals, threads and memory in a second: exceptions, a null reference that
 * is caught, collections, threads, a thread pool, and native blocks.
 */
using System;
using System.Collections.Generic;
using System.Runtime.InteropServices;
using System.Threading;
using System.Threading.Tasks;

class Program
{
	class Node { public int Value; public Node Next; }

	static int Sum(Node node)
	{
		int sum = 0;
		try {
			for (;; node = node.Next)
				sum += node.Value;
		} catch (NullReferenceException) {
			return sum;
		}
	}

	static void Work(ref int done)
	{
		for (int i = 0; i < 1000; i++)
			GC.KeepAlive(new byte[1000]);
		Interlocked.Increment(ref done);
	}

	static int Main(string[] args)
	{
		var list = new List<string>();
		var threads = new List<Thread>();
		int done = 0, caught = 0;

		for (int i = 0; i < 100000; i++)
			list.Add(i.ToString());
		for (int i = 0; i < 4; i++) {
			var thread = new Thread(() => Work(ref done));
			thread.Start();
			threads.Add(thread);
		}
		for (int i = 0; i < 200; i++)
			caught += Sum(new Node { Value = 1, Next = new Node { Value = i } });
		for (int i = 0; i < 200; i++) {
			try {
				throw new InvalidOperationException(i.ToString());
			} catch (InvalidOperationException e) {
				caught += e.Message.Length;
			}
		}
		threads.ForEach(thread => thread.Join());
		Task.WaitAll(Task.Run(() => Work(ref done)), Task.Run(() => Work(ref done)));
		GC.Collect();
		IntPtr block = Marshal.AllocHGlobal(100);
		for (int i = 0; i < 100; i++)
			Marshal.WriteByte(block, i, 1);
		block = Marshal.ReAllocHGlobal(block, (IntPtr)10000);
		caught += Marshal.ReadByte(block, 99);
		Marshal.FreeHGlobal(block);
		Console.WriteLine(list.Count + " " + done + " " + caught + " " + args.Length);
		return 3;
	}
}
