// SPDX-License-Identifier: Apache-2.0
//
// A program for mono_host: four threads book orders, some of which throw; a null reference is
// caught; the books are checked by a native plug-in.
//
//	mcs -debug -out:mono_demo.exe mono_demo.cs
using System;
using System.Collections.Generic;
using System.Runtime.InteropServices;
using System.Text;
using System.Threading;

static class Plugin
{
	[DllImport("mono_plugin", EntryPoint = "mono_plugin_checksum")]
	public static extern uint Checksum(byte[] bytes, int count);

	[DllImport("mono_plugin", EntryPoint = "mono_plugin_name")]
	public static extern string Name();
}

class OutOfStock : Exception
{
	public OutOfStock(string item) : base(item + " is out of stock") { }
}

class Customer
{
	public string Name = null;
}

class Ledger
{
	readonly SortedDictionary<string, int> booked = new SortedDictionary<string, int>();
	int refused;

	void Book(string item, int count)
	{
		if (count % 7 == 0)
			throw new OutOfStock(item);
		lock (booked) {
			int before;
			booked.TryGetValue(item, out before);
			booked[item] = before + count;
		}
	}

	void Work(object number)
	{
		for (int i = 1; i <= 100; i++) {
			try {
				Book("item " + (i * (int)number % 50), i);
			} catch (OutOfStock) {
				Interlocked.Increment(ref refused);
			}
		}
	}

	public void BookAll()
	{
		var threads = new List<Thread>();
		for (int i = 1; i <= 4; i++) {
			var thread = new Thread(Work);
			thread.Start(i);
			threads.Add(thread);
		}
		foreach (var thread in threads)
			thread.Join();
	}

	public uint Check()
	{
		var text = new StringBuilder();
		foreach (var pair in booked)
			text.Append(pair.Key).Append(pair.Value);
		byte[] bytes = Encoding.ASCII.GetBytes(text.ToString());
		return Plugin.Checksum(bytes, bytes.Length);
	}

	public override string ToString()
	{
		return booked.Count + " items, " + refused + " refused";
	}
}

static class Demo
{
	static int LengthOf(Customer customer)
	{
		return customer.Name.Length;
	}

	static int Main(string[] arguments)
	{
		var ledger = new Ledger();
		ledger.BookAll();
		Console.WriteLine(ledger);
		try {
			LengthOf(new Customer());
		} catch (NullReferenceException) {
			Console.WriteLine("a customer without a name");
		}
		GC.Collect();
		GC.WaitForPendingFinalizers();
		Console.WriteLine("{0} {1:x8}", Plugin.Name(), ledger.Check());
		return arguments.Length;
	}
}
