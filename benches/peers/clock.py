"""What every benchmark of the peers measures: seconds of each call, and the most memory."""
import resource
import time


def seconds_a_call(call, seconds, warm=2):
    """Seconds of each call from the shortest up: `warm` calls first, then at least one and as many as begin within `seconds`."""
    for _ in range(warm):
        call()
    times, start = [], time.perf_counter()
    while not times or time.perf_counter() - start < seconds:
        begin = time.perf_counter()
        call()
        times.append(time.perf_counter() - begin)
    return sorted(times)


def own_seconds(call, seconds):
    """Mean seconds that this thread computes in a call: on a shared machine the wall clock measures the neighbours."""
    call()
    calls, begin, start = 0, time.thread_time(), time.perf_counter()
    while calls < 3 or time.perf_counter() - start < seconds:
        call()
        calls += 1
    return (time.thread_time() - begin) / calls


def peak_memory_mib():
    """The most memory this process has held."""
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1)
