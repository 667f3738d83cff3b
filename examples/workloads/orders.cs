// SPDX-License-Identifier: Apache-2.0
//
// The program behind mono-orders.rec: four threads that book orders, sort them, throw and catch
// exceptions, and meet at the end. What is recorded is what its runtime allocates for that, with Mono
// 6.8.0.105 of Debian 12:
//
//	mcs -out:orders.exe examples/workloads/orders.cs
//	fencepost run --leak-check=no --record=examples/workloads/mono-orders.rec mono orders.exe
using System;
using System.Collections.Generic;
using System.Threading;

class OutOfStock : Exception
{
	public OutOfStock(string item) : base(item + " is out of stock") { }
}

class Orders
{
	static readonly object gate = new object();
	static readonly SortedDictionary<string, int> booked = new SortedDictionary<string, int>();
	static int refused;

	static void Book(string item, int count)
	{
		if (count % 7 == 0)
			throw new OutOfStock(item);
		lock (gate) {
			int before;
			booked.TryGetValue(item, out before);
			booked[item] = before + count;
		}
	}

	static void Work(object number)
	{
		for (int i = 1; i <= 100; i++) {
			try {
				Book("item " + (i * (int)number % 50), i);
			} catch (OutOfStock) {
				Interlocked.Increment(ref refused);
			}
		}
	}

	static void Main()
	{
		var threads = new List<Thread>();
		for (int i = 1; i <= 4; i++) {
			var thread = new Thread(Work);
			thread.Name = "clerk " + i;
			thread.Start(i);
			threads.Add(thread);
		}
		foreach (var thread in threads)
			thread.Join();
		GC.Collect();
		int total = 0;
		foreach (var pair in booked)
			total += pair.Value;
		Console.WriteLine("{0} items, {1} booked, {2} refused", booked.Count, total, refused);
	}
}
