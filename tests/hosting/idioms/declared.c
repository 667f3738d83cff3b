/* SPDX-License-Identifier: Apache-2.0
 *
 * An interface of the host's own, declared once for C and C++ with DECLARE_INTERFACE_, THIS and
 * PURE. The file is compiled as both.
 */
#include "runtime.h"

#include <stdlib.h>

#undef INTERFACE
#define INTERFACE IMeasuredMalloc
DECLARE_INTERFACE_(IMeasuredMalloc, IUnknown)
{
	STDMETHOD(QueryInterface)(THIS_ REFIID riid, void **ppv) PURE;
	STDMETHOD_(ULONG, AddRef)(THIS) PURE;
	STDMETHOD_(ULONG, Release)(THIS) PURE;
	STDMETHOD(Measure)(THIS_ SIZE_T * pcbTotal) PURE;
	STDMETHOD_(BOOL, IsEmpty)(THIS) PURE;
};

#ifdef __cplusplus

struct Measured : public IMeasuredMalloc {
	LONG count = 1;
	virtual ~Measured()
	{
	}
	STDMETHODIMP QueryInterface(REFIID, void **ppv)
	{
		*ppv = NULL;
		return E_NOINTERFACE;
	}
	STDMETHODIMP_(ULONG) AddRef(void)
	{
		return (ULONG)InterlockedIncrement(&count);
	}
	STDMETHODIMP_(ULONG) Release(void)
	{
		return (ULONG)InterlockedDecrement(&count);
	}
	STDMETHODIMP Measure(SIZE_T *pcbTotal)
	{
		*pcbTotal = 7;
		return S_OK;
	}
	STDMETHODIMP_(BOOL) IsEmpty(void)
	{
		return FALSE;
	}
};

int main(void)
{
	Measured measured;
	IMeasuredMalloc *heap = &measured;
	SIZE_T total = 0;

	return heap->Measure(&total) == S_OK && total == 7 && heap->IsEmpty() == FALSE ? 0 : 1;
}

#else

static HRESULT STDMETHODCALLTYPE query(IMeasuredMalloc *This, REFIID riid, void **ppv)
{
	(void)This;
	(void)riid;
	*ppv = NULL;
	return E_NOINTERFACE;
}

static ULONG STDMETHODCALLTYPE count(IMeasuredMalloc *This)
{
	(void)This;
	return 1;
}

static HRESULT STDMETHODCALLTYPE measure(IMeasuredMalloc *This, SIZE_T *pcbTotal)
{
	(void)This;
	*pcbTotal = 7;
	return S_OK;
}

static BOOL STDMETHODCALLTYPE is_empty(IMeasuredMalloc *This)
{
	(void)This;
	return FALSE;
}

int main(void)
{
	IMeasuredMallocVtbl table = {query, count, count, measure, is_empty};
	IMeasuredMalloc heap = {&table};
	SIZE_T total = 0;

	return heap.lpVtbl->Measure(&heap, &total) == S_OK && total == 7 &&
	                       heap.lpVtbl->IsEmpty(&heap) == FALSE
	               ? 0
	               : 1;
}

#endif
